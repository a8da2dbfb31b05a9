import { readForeignHeader, verifyForeignToken } from '../../core/foreign-token.ts';
import { type Identity, idTokenRule, readGitHubUser, readIdToken } from '../../core/id-token.ts';
import { callbackUrl, type IdentityProvider } from '../../core/identity-provider.ts';
import { type Json, stringMember } from '../../core/json.ts';
import type { LoginSecrets } from '../../core/login-ticket.ts';
import { namedError } from '../../core/oauth-error.ts';
import { authenticateAt } from '../../core/provider-token.ts';
import { ok, type Result } from '../../core/result.ts';
import type { Secret } from '../../core/secret.ts';
import type { IssuerPorts } from '../issuer-ports.ts';
import { callIdp, failure, type IdpFailure } from './idp-call.ts';

/**
 * Redeems a code at the provider that gave it and says who logged in (OpenID Connect Core §3.1.3): by an id token that is verified as a
 * whole, or by GitHub's user endpoint. Everything goes through the guarded client, bounded in time and size.
 */
export async function identify(
  ports: IssuerPorts,
  provider: IdentityProvider,
  code: string,
  secrets: LoginSecrets,
  origin: string,
): Promise<Result<Identity, IdpFailure>> {
  const redeemed = await redeem(ports, provider, code, secrets.codeVerifier, origin);
  if (!redeemed.ok) return redeemed;
  const accessToken = stringMember(redeemed.value, 'access_token');
  const { proof } = provider;
  const nowSeconds = Math.floor(ports.now() / 1000);
  if (proof.kind === 'github') {
    if (accessToken === undefined) return failure('no access token');
    const user = await callIdp(ports, provider, proof.userInfoUrl, {
      method: 'GET',
      headers: [['authorization', `Bearer ${accessToken}`]],
    });
    if (!user.ok) return user;
    const { status, body, isOutage } = user.value;
    if (status !== 200) return failure(`user: status ${status}`, isOutage);
    const read = readGitHubUser(body, proof, nowSeconds);
    return read.ok ? read : failure(`${read.error.reason}: ${read.error.detail}`);
  }
  const idToken = stringMember(redeemed.value, 'id_token') ?? '';
  const header = readForeignHeader(idToken);
  if (header === undefined) return failure('bad_id_token: header');
  const keys = await ports.foreignKeys.find(proof.jwksUrl, header.keyId, { allowPrivate: provider.private });
  if (!keys.ok) return failure(keys.error.detail, true);
  const verified = verifyForeignToken(idToken, keys.value, idTokenRule(provider, proof, nowSeconds));
  if (!verified.ok) return failure(`bad_id_token: ${verified.error.detail}`);
  const { nonce } = secrets;
  const read = readIdToken(verified.value, provider, proof, { nonce, accessToken });
  return read.ok ? read : failure(`${read.error.reason}: ${read.error.detail}`);
}

/** A secret that the provider does not take is read past the cache and tried once more, so that a rotation shows at once. */
async function redeem(
  ports: IssuerPorts,
  provider: IdentityProvider,
  code: string,
  codeVerifier: string,
  origin: string,
): Promise<Result<Json, IdpFailure>> {
  let tried: string | undefined;
  for (const fresh of [false, true]) {
    const secret = await readSecret(ports, provider, fresh);
    if (!secret.ok) return secret;
    const revealed = secret.value?.reveal();
    if (fresh && revealed === tried) break;
    tried = revealed;
    const form = new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: callbackUrl(provider, origin),
      code_verifier: codeVerifier,
    });
    const headers = authenticateAt(provider, secret.value, form);
    const answer = await callIdp(ports, provider, provider.tokenUrl, { method: 'POST', headers, form });
    if (!answer.ok) return answer;
    const { status, body, isOutage } = answer.value;
    // GitHub answers errors with 200.
    const error = stringMember(body, 'error');
    if (status === 200 && error === undefined) return ok(body);
    const isRefusedSecret =
      status === 401 || error === 'invalid_client' || error === 'incorrect_client_credentials';
    if (!isRefusedSecret) return failure(`token: status ${status}, ${namedError(error)}`, isOutage);
  }
  return failure('token: the provider does not take our client secret');
}

/** Our secret at a provider; undefined for a public client. One that is not there, or may not be read, is in the log. */
export async function readSecret(
  ports: IssuerPorts,
  { name, clientSecretName }: IdentityProvider,
  fresh: boolean,
): Promise<Result<Secret | undefined, IdpFailure>> {
  if (clientSecretName === undefined) return ok(undefined);
  const fullName = clientSecretName.replaceAll('{stage}', ports.stage);
  const read = await ports.secrets.read(fullName, { fresh });
  if (read.ok) return ok(read.value.value);
  const { reason } = read.error;
  ports.log({ level: 'error', event: 'idp_secret_unreadable', idp: name, secret: fullName, reason });
  return failure(`the client secret is ${reason}`, reason === 'unavailable');
}
