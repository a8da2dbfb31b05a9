import { clientBasic } from './client-basic.ts';
import { isJsonArray, isJsonObject, type Json, JsonNumber, member, stringMember } from './json.ts';
import { namedError } from './oauth-error.ts';
import { isOutageStatus } from './outage-status.ts';
import type { Provider } from './provider.ts';
import { err, ok, type Result } from './result.ts';
import { Secret } from './secret.ts';

/** What a provider gave for a code or a refresh token (RFC 6749 §5.1). */
export type ProviderTokens = {
  readonly accessToken: Secret;
  /** Undefined where it gave none: the one that there is goes on. */
  readonly refreshToken: Secret | undefined;
  /** Undefined where it says nothing that can be read: until a 401. */
  readonly lifetimeSeconds: number | undefined;
  /** Undefined where it says nothing: as asked for. */
  readonly scopes: readonly string[] | undefined;
};

/**
 * Why a provider gave no tokens. `grant`: the code or the refresh token is good for nothing any more; `client`: it does not take our
 * client; `doubtful`: it refuses the request, and of what it may mean by that the grant is the likeliest; `unclear`: anything else.
 * `isOutage`: it may go better in a moment. `detail` is for the operator.
 */
export type ProviderRefusal = {
  readonly refused: 'grant' | 'client' | 'doubtful' | 'unclear';
  readonly isOutage: boolean;
  readonly detail: string;
};

/**
 * Of RFC 6749 §5.2, GitHub (https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors),
 * Slack, and Microsoft, where its user has to sign in or agree again.
 */
const GRANT_ERRORS: ReadonlySet<string> = new Set([
  'invalid_grant',
  'bad_verification_code',
  'bad_refresh_token',
  'invalid_code',
  'code_already_used',
  'invalid_refresh_token',
  'token_revoked',
  'token_expired',
  'interaction_required',
  'consent_required',
  'login_required',
]);
/** Our client may not use such grants at all: none is the better for being made anew. */
const OTHER_ERRORS: ReadonlySet<string> = new Set(['unauthorized_client', 'unsupported_grant_type']);
/** With whatever status: the first two of RFC 6749 §4.1.2.1, then of Google and of Slack. */
const OUTAGE_ERRORS: ReadonlySet<string> = new Set([
  'server_error',
  'temporarily_unavailable',
  'rate_limit_exceeded',
  'ratelimited',
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
]);
/** Those by which an endpoint refuses what it was sent. X and LinkedIn say of a dead refresh token 400 `invalid_request`, and others no `error` at all. */
const REFUSING: ReadonlySet<number> = new Set([400, 403, 422]);
const CLIENT_ERRORS: ReadonlySet<string> = new Set([
  'invalid_client',
  'incorrect_client_credentials',
  'invalid_client_id',
  'bad_client_secret',
]);
/** A user's token of Slack's is of type `user`. */
const SENT_AS_BEARER = /^(?:bearer|user)$/i;
const TOKEN = /^[\x21-\x7e]{1,16384}$/;
const DECIMAL = /^\d{1,10}(?:\.\d+)?$/;
/** A life longer than this is no news. */
const MAX_LIFETIME_SECONDS = 10 * 365 * 86_400;
const MAX_SCOPES = 500;

/** Our client at a provider, as a request for tokens says it (RFC 6749 §2.3.1): in `form`, or in the headers that it gives. */
export function authenticateAt(
  { clientId, tokenAuth }: Pick<Provider, 'clientId' | 'tokenAuth'>,
  secret: Secret | undefined,
  form: URLSearchParams,
): readonly (readonly [string, string])[] {
  if (secret !== undefined && tokenAuth === 'client_secret_basic') {
    return [['authorization', clientBasic(clientId, secret)]];
  }
  form.set('client_id', clientId);
  if (secret !== undefined) form.set('client_secret', secret.reveal());
  return [];
}

/**
 * Reads a token endpoint's answer. An error that it names counts whatever the status, as GitHub and Slack name theirs with 200;
 * but an outage is one, whatever its page says. Of a
 * member that cannot be read nothing is taken but that it is not there, so that no refresh token is lost over one beside it.
 */
export function readProviderTokens(status: number, body: Json): Result<ProviderTokens, ProviderRefusal> {
  const error = stringMember(body, 'error');
  if (status !== 200 || error !== undefined) return err(refusalOf(status, error, body));
  const accessToken = stringMember(body, 'access_token');
  const type = member(body, 'token_type') ?? 'bearer';
  const isSendable = accessToken !== undefined && TOKEN.test(accessToken);
  if (!isSendable || typeof type !== 'string' || !SENT_AS_BEARER.test(type)) {
    return err({ refused: 'unclear', isOutage: false, detail: 'no bearer token in the answer' });
  }
  const refreshToken = stringMember(body, 'refresh_token');
  const isUsable = refreshToken !== undefined && TOKEN.test(refreshToken);
  return ok({
    accessToken: new Secret(accessToken),
    refreshToken: isUsable ? new Secret(refreshToken) : undefined,
    lifetimeSeconds: lifetimeOf(member(body, 'expires_in')),
    scopes: scopesOf(member(body, 'scope')),
  });
}

function refusalOf(status: number, error: string | undefined, body: Json): ProviderRefusal {
  const detail = `status ${status}, ${namedError(error)}`;
  if (isOutageStatus(status) || OUTAGE_ERRORS.has(error ?? '')) {
    return { refused: 'unclear', isOutage: true, detail };
  }
  // Atlassian says so of a refresh token (https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/).
  const isOfToken =
    error === 'unauthorized_client' && /refresh_token/.test(stringMember(body, 'error_description') ?? '');
  if (error !== undefined && (GRANT_ERRORS.has(error) || isOfToken)) {
    return { refused: 'grant', isOutage: false, detail };
  }
  if (refusesClient(status, body)) return { refused: 'client', isOutage: false, detail };
  // A page in the place of JSON is somebody else's than the endpoint's.
  const isDoubtful = REFUSING.has(status) && isJsonObject(body) && !OTHER_ERRORS.has(error ?? '');
  return { refused: isDoubtful ? 'doubtful' : 'unclear', isOutage: false, detail };
}

/** Does an answer to a request of our client at a provider say that the client is not taken? */
export function refusesClient(status: number, body: Json): boolean {
  return status === 401 || CLIENT_ERRORS.has(stringMember(body, 'error') ?? '');
}

/** Some write it as a text. What is no number, or not more than none, says nothing. */
function lifetimeOf(value: Json | undefined): number | undefined {
  const text = value instanceof JsonNumber ? value.lexeme : value;
  const seconds = typeof text === 'string' && DECIMAL.test(text) ? Math.floor(Number(text)) : 0;
  return seconds > 0 ? Math.min(seconds, MAX_LIFETIME_SECONDS) : undefined;
}

/** A list in a text, of which some separate the items by commas; or a list. */
function scopesOf(value: Json | undefined): readonly string[] | undefined {
  const items =
    typeof value === 'string' ? value.split(/[ ,]+/) : isJsonArray(value) ? value.filter(isText) : undefined;
  const scopes = items?.filter((scope) => scope !== '').slice(0, MAX_SCOPES);
  return scopes === undefined || scopes.length === 0 ? undefined : [...new Set(scopes)];
}

function isText(value: Json): value is string {
  return typeof value === 'string';
}
