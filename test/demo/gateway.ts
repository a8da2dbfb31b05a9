import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { type LoopbackServer, serveOnLoopback } from '../../local/demo/loopback.ts';

/** What the gateway was asked at `/egress`. */
export type EgressRequest = { readonly path: string; readonly headers: Headers };

/**
 * The part of the gateway that a server behind it meets: keys, tokens and egress, on loopback. `answers` are given to
 * egress requests in turn, then the service itself is asked with the key of the delegation's client.
 */
export async function startGateway(service: { url: string; keys: ReadonlyMap<string, string> }) {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const foreign = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  const egress: EgressRequest[] = [];
  const answers: Response[] = [];
  const state = { tokensIssued: 0, expiresIn: 600, jwks: 200 };

  const handle = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    if (url.pathname === '/.well-known/jwks.json')
      return Response.json({ keys: [jwk] }, { status: state.jwks });
    if (url.pathname === '/oauth/token') {
      const isClient =
        request.headers.get('authorization') === `Basic ${btoa('fininfo-server:server-secret')}`;
      const form = new URLSearchParams(await request.text());
      if (!isClient || form.get('grant_type') !== 'client_credentials') {
        return Response.json({ error: 'invalid_client' }, { status: 401 });
      }
      state.tokensIssued += 1;
      return Response.json({ access_token: `own-${state.tokensIssued}`, expires_in: state.expiresIn });
    }
    const path = url.pathname + url.search;
    egress.push({ path, headers: request.headers });
    const answer = answers.shift();
    if (answer !== undefined) return answer;
    const [, claims] = (request.headers.get('x-delegation') ?? '').split('.');
    const { client_id } = JSON.parse(Buffer.from(claims ?? '', 'base64url').toString());
    return fetch(service.url + path.replace('/egress/polygon/', ''), {
      headers: { authorization: `Bearer ${service.keys.get(client_id)}` },
    });
  };
  const server: LoopbackServer = await serveOnLoopback(0, handle);

  /** An identity token as the gateway mints it, or with claims, header or signer changed. */
  const mint = (
    audience: string,
    changed: JWTPayload = {},
    { isForged = false, typ = 'JWT' }: { isForged?: boolean; typ?: string } = {},
  ): Promise<string> => {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({
      iss: server.origin,
      aud: audience,
      sub: 'analyst',
      org_id: 'acme',
      client_id: 'analyst',
      scope: 'market-data/execute',
      groups: [],
      iat: now,
      exp: now + 300,
      jti: crypto.randomUUID(),
      token_kind: 'identity',
      ...changed,
    })
      .setProtectedHeader({ alg: 'RS256', typ, kid: 'k1' })
      .sign(isForged ? foreign.privateKey : privateKey);
  };
  return { ...server, egress, answers, state, mint };
}
