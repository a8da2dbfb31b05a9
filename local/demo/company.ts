import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { choicePage } from './choice-page.ts';
import { createCodes, DEMO_CLIENT } from './codes.ts';
import { type LoopbackServer, serveOnLoopback } from './loopback.ts';
import { invalidGrant, nothingHere, notTheDemo } from './refusals.ts';

/** `port` 0 takes a free one. `gateway` is the public origin that people are sent back to, and the only one. */
export type CompanyOptions = { readonly port: number; readonly gateway: string };

/** Somebody who works at the demo company. */
type Person = { readonly name: string; readonly role: string; readonly groups: readonly string[] };

const STAFF: ReadonlyMap<string, Person> = new Map([
  ['ada', { name: 'Ada', role: 'analyst', groups: ['analysts', 'customers'] }],
  ['guy', { name: 'Guy', role: 'guest', groups: ['guests', 'customers'] }],
  ['eve', { name: 'Eve', role: 'in no group that means anything', groups: ['visitors'] }],
]);

/** The page on which one chooses who to be. */
const WHO = {
  title: 'Demo company',
  heading: 'Demo company: who are you?',
  words: [
    'This stands in for your company’s login on this machine. There are no passwords here, and only the demo believes it.',
  ],
  name: 'person',
  buttons: Array.from(STAFF, ([id, { name, role }]) => [id, `${name}, ${role}`] as const),
} as const;

/**
 * Starts the identity provider of the demo company: OpenID Connect with PKCE, for one public client. There are no passwords: whoever opens
 * its page chooses who to be. It is for one machine, and nothing but the demo trusts it.
 */
export async function startCompany({ port, gateway }: CompanyOptions): Promise<LoopbackServer> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keyId = randomBytes(8).toString('hex');
  let issuer = '';
  const codes = createCodes<{ readonly personId: string; readonly nonce: string }>(
    `${gateway}/oauth/callback/company`,
    () => issuer,
  );

  const authorize = (query: URLSearchParams): Response => {
    if (!codes.isOurs(query)) return notTheDemo();
    const personId = query.get('person') ?? '';
    if (!STAFF.has(personId)) return choicePage(WHO, query);
    return codes.issue(query, { personId, nonce: query.get('nonce') ?? '' });
  };

  const redeem = async (form: URLSearchParams): Promise<Response> => {
    const login = codes.redeem(form);
    const person = STAFF.get(login?.personId ?? '');
    if (login === undefined || person === undefined) return invalidGrant();
    const { personId, nonce } = login;
    const email = `${personId}@company.example`;
    const idToken = await new SignJWT({ nonce, email, email_verified: true, groups: [...person.groups] })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: keyId })
      .setIssuer(issuer)
      .setSubject(personId)
      .setAudience(DEMO_CLIENT)
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
        return nothingHere();
    }
  });
  issuer = server.origin;
  return server;
}
