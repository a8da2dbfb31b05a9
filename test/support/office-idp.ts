import { makeRsaKey, signForeign } from './foreign-issuer.ts';
import { listenWeb } from './web-listener.ts';

/** An identity provider on loopback that gives identity assertions (ID-JAG) for its users to programs that have their id tokens. */
export type OfficeIdp = {
  readonly issuer: string;
  /** An id token of a user, as a program of the office would have it. */
  idToken(user: string): string;
  close(): Promise<void>;
};

const LIFETIME_SECONDS = 300;

/** Starts one. `staff` says who is in which groups; `clients` by which name a program of the office is known at the gateway. */
export async function startOfficeIdp(
  staff: Readonly<Record<string, readonly string[]>>,
  clients: Readonly<Record<string, string>>,
): Promise<OfficeIdp> {
  const key = makeRsaKey({ kid: 'office-1' });
  const listener = await listenWeb(async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === '/jwks') return Response.json({ keys: [key.published] });
    if (pathname.startsWith('/.well-known/')) {
      return Response.json({
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
      });
    }
    return pathname === '/token'
      ? assert(new URLSearchParams(await request.text()))
      : new Response('', { status: 404 });
  });
  const issuer = `http://127.0.0.1:${listener.port}`;
  const sign = (claims: Readonly<Record<string, unknown>>, type: string) => {
    const iat = Math.floor(Date.now() / 1000);
    return signForeign(key, { iss: issuer, iat, exp: iat + LIFETIME_SECONDS, ...claims }, { typ: type });
  };
  const assert = (form: URLSearchParams) => {
    const [, payload = ''] = (form.get('subject_token') ?? '').split('.');
    const { sub } = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const claims = {
      sub,
      aud: form.get('audience'),
      client_id: clients[form.get('client_id') ?? ''],
      resource: form.get('resource'),
      scope: form.get('scope') ?? undefined,
      groups: staff[sub],
      jti: crypto.randomUUID(),
    };
    return Response.json({
      issued_token_type: 'urn:ietf:params:oauth:token-type:id-jag',
      access_token: sign(claims, 'oauth-id-jag+jwt'),
      token_type: 'N_A',
      expires_in: LIFETIME_SECONDS,
    });
  };
  return {
    issuer,
    idToken: (user) => sign({ sub: user, aud: 'office-program' }, 'JWT'),
    close: () => listener.close(),
  };
}
