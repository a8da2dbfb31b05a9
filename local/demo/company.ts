import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { loginPage } from './company-page.ts';
import { type LoopbackServer, serveOnLoopback } from './loopback.ts';

/** `port` 0 takes a free one. `gateway` is the public origin that people are sent back to, and the only one. */
export type CompanyOptions = { readonly port: number; readonly gateway: string };

/** Somebody who works at the demo company. */
export type Person = { readonly name: string; readonly role: string; readonly groups: readonly string[] };

const CLIENT_ID = 'sallyport';
const CODE_MS = 60_000;
const MAX_CODES = 100;

const STAFF: ReadonlyMap<string, Person> = new Map([
  ['ada', { name: 'Ada', role: 'analyst', groups: ['analysts'] }],
  ['guy', { name: 'Guy', role: 'guest', groups: ['guests'] }],
  ['eve', { name: 'Eve', role: 'in no group that means anything', groups: ['visitors'] }],
]);

type Login = {
  readonly personId: string;
  readonly nonce: string;
  readonly codeChallenge: string;
  readonly endsAtMs: number;
};

/**
 * Starts the identity provider of the demo company: OpenID Connect with PKCE, for one public client. There are no passwords: whoever opens
 * its page chooses who to be. It is for one machine, and nothing but the demo trusts it.
 */
export async function startCompany({ port, gateway }: CompanyOptions): Promise<LoopbackServer> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keyId = randomBytes(8).toString('hex');
  const redirectUri = `${gateway}/oauth/callback/company`;
  const logins = new Map<string, Login>();
  let issuer = '';

  const isOurs = (query: URLSearchParams) =>
    query.get('client_id') === CLIENT_ID &&
    query.get('response_type') === 'code' &&
    query.get('redirect_uri') === redirectUri &&
    query.get('code_challenge_method') === 'S256' &&
    /^[A-Za-z0-9_-]{43}$/.test(query.get('code_challenge') ?? '');

  const authorize = (query: URLSearchParams): Response => {
    if (!isOurs(query)) return refusal('this is no login of the demo');
    const personId = query.get('person') ?? '';
    if (!STAFF.has(personId)) return loginPage(STAFF, query);
    const code = randomBytes(32).toString('base64url');
    for (const [oldest] of logins) if (logins.size >= MAX_CODES) logins.delete(oldest);
    logins.set(code, {
      personId,
      nonce: query.get('nonce') ?? '',
      codeChallenge: query.get('code_challenge') ?? '',
      endsAtMs: Date.now() + CODE_MS,
    });
    const answer = new URLSearchParams({ code, state: query.get('state') ?? '', iss: issuer });
    return new Response(null, { status: 303, headers: { location: `${redirectUri}?${answer}` } });
  };

  const redeem = async (form: URLSearchParams): Promise<Response> => {
    const code = form.get('code') ?? '';
    const login = logins.get(code);
    logins.delete(code);
    const digest = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const isAsked = form.get('client_id') === CLIENT_ID && form.get('redirect_uri') === redirectUri;
    const person = STAFF.get(login?.personId ?? '');
    if (login === undefined || person === undefined || !isAsked) return invalidGrant();
    if (login.codeChallenge !== digest || Date.now() >= login.endsAtMs) return invalidGrant();
    const { personId, nonce } = login;
    const email = `${personId}@company.example`;
    const idToken = await new SignJWT({ nonce, email, email_verified: true, groups: [...person.groups] })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: keyId })
      .setIssuer(issuer)
      .setSubject(personId)
      .setAudience(CLIENT_ID)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey);
    const accessToken = randomBytes(32).toString('base64url');
    return Response.json({
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: 60,
      id_token: idToken,
    });
  };

  const server = await serveOnLoopback(port, async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    switch (`${request.method} ${pathname}`) {
      case 'GET /authorize':
        return authorize(searchParams);
      case 'POST /token':
        return redeem(new URLSearchParams(await request.text()));
      case 'GET /keys': {
        const jwk = publicKey.export({ format: 'jwk' });
        return Response.json({ keys: [{ ...jwk, kid: keyId, alg: 'RS256', use: 'sig' }] });
      }
      default:
        return new Response('there is nothing here\n', { status: 404 });
    }
  });
  issuer = server.origin;
  return server;
}

function refusal(text: string): Response {
  return new Response(`${text}\n`, { status: 400, headers: { 'cache-control': 'no-store' } });
}

function invalidGrant(): Response {
  return Response.json({ error: 'invalid_grant' }, { status: 400, headers: { 'cache-control': 'no-store' } });
}
