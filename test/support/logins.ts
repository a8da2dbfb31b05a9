import { createHash } from 'node:crypto';
import {
  CODE_KEPT_SECONDS,
  CODE_LIFETIME_SECONDS,
  type CodeGrant,
  locateCode,
  makeCode,
  writeCodeRecord,
} from '../../functions/core/authorization-code.ts';
import type { IdentityProvider } from '../../functions/core/identity-provider.ts';
import type { RecordStore } from '../../functions/core/ports.ts';
import { ORIGIN } from './test-issuer.ts';

/** What every login of the tests goes by, where it is not said otherwise. */
export const REDIRECT_URI = 'https://desk.example.com/callback';
export const CODE_VERIFIER = 'dBjftJeZ4CVP-mBw.6nX~pKqR_tYuIoPaSdFgHjKlZx';

/** What the store of codes is reached by, and the second at which the code is made. */
export type CodeStore = { readonly records: RecordStore; readonly nowSeconds: number };

let logins = 0;

/** An identity provider of `acme`. */
export function identityProvider(name: string, changes: Partial<IdentityProvider> = {}): IdentityProvider {
  const base = `https://${name}.example.com`;
  return {
    name,
    displayName: name,
    org: 'acme',
    private: false,
    clientId: 'sallyport',
    clientSecretName: undefined,
    tokenAuth: 'client_secret_basic',
    authUrl: `${base}/authorize`,
    tokenUrl: `${base}/token`,
    scopes: ['openid'],
    usernameClaim: 'email',
    proof: { kind: 'id_token', issuer: base, jwksUrl: `${base}/jwks`, groupsClaim: 'groups' },
    acceptAccessTokens: undefined,
    ...changes,
  };
}

/** The challenge of a verifier (RFC 7636 §4.2). */
export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}

/** What a login of `corp:sam` through `desk` gave for the server `maps`; each is a family of its own. */
export function codeGrant(nowSeconds: number, changes: Partial<CodeGrant> = {}): CodeGrant {
  logins += 1;
  return {
    clientId: 'desk',
    redirectUri: REDIRECT_URI,
    codeChallenge: challengeOf(CODE_VERIFIER),
    resource: `${ORIGIN}/maps/mcp`,
    scopes: ['maps/read', 'maps/execute'],
    subject: 'corp:sam',
    groups: ['drivers'],
    authTimeSeconds: nowSeconds - 5,
    family: `login-${logins}`,
    expiresAtSeconds: nowSeconds + CODE_LIFETIME_SECONDS,
    ...changes,
  };
}

/** Stores the record of a code, as the end of a login does, and gives the code. */
export async function putCode(
  store: CodeStore,
  changes: Partial<CodeGrant> = {},
  orgId = 'acme',
): Promise<string> {
  const grant = codeGrant(store.nowSeconds, changes);
  const code = makeCode(orgId, createHash('sha256').update(`${grant.family} ${logins}`).digest());
  const { id = '' } = locateCode(code) ?? {};
  const kept = grant.expiresAtSeconds + CODE_KEPT_SECONDS;
  const written = await store.records.create({ kind: 'CODE', orgId, id }, writeCodeRecord(grant), kept);
  if (!written.ok) throw new Error('the test’s own code could not be stored');
  return code;
}

/** The form by which `desk` redeems a code. `undefined` takes a parameter away. */
export function codeForm(
  code: string,
  changes: Readonly<Record<string, string | undefined>> = {},
): Readonly<Record<string, string>> {
  const form = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT_URI,
    code_verifier: CODE_VERIFIER,
    ...changes,
  };
  return Object.fromEntries(
    Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** The claims of a token, unverified. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}
