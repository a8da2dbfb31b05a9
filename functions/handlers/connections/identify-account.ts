import type { ProviderAccount } from '../../core/connection.ts';
import { stringMember } from '../../core/json.ts';
import { readAccount, readCloudIds } from '../../core/provider-account.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Secret } from '../../core/secret.ts';
import type { CallFailure, JsonAnswer } from '../json-call.ts';
import type { Asking } from './asking.ts';
import type { ConnectionPorts } from './connection-ports.ts';
import { callProvider } from './provider-call.ts';

/** Slack says so with status 200 (https://docs.slack.dev/reference/methods/auth.test). */
const DEAD_AT_SLACK: ReadonlySet<string> = new Set([
  'invalid_auth',
  'not_authed',
  'account_inactive',
  'token_revoked',
  'token_expired',
]);

/**
 * Whose token it is. Undefined where the provider has no way to say, or the token not the right to ask. A name that is an echo is none, and
 * an id that is one no answer.
 */
export async function findAccount(
  ports: ConnectionPorts,
  of: Asking,
  token: Secret,
  isEcho: (text: string) => boolean,
): Promise<Result<ProviderAccount | undefined, CallFailure>> {
  const { account } = of.provider;
  if (account === undefined) return ok(undefined);
  const answer = await ask(ports, of, account.url, token);
  if (!answer.ok) return answer;
  const { status, body, isOutage } = answer.value;
  if (status === 403 && !isOutage) return ok(undefined);
  const found = status === 200 ? readAccount(account, body) : undefined;
  if (found === undefined || isEcho(found.id)) return err(unexpected('account', answer.value));
  return ok(found.name !== undefined && isEcho(found.name) ? { id: found.id, name: undefined } : found);
}

/** The Atlassian sites that a token opens; none at other providers. */
export async function findCloudIds(
  ports: ConnectionPorts,
  of: Asking,
  token: Secret,
): Promise<Result<readonly string[], CallFailure>> {
  const { sitesUrl } = of.provider;
  if (sitesUrl === undefined) return ok([]);
  const answer = await ask(ports, of, sitesUrl, token);
  if (!answer.ok) return answer;
  const { status, body } = answer.value;
  return status === 200 ? ok(readCloudIds(body)) : err(unexpected('sites', answer.value));
}

/** Does the provider itself refuse this token? Undefined where it cannot be asked. */
export async function isRefused(
  ports: ConnectionPorts,
  of: Asking,
  token: Secret,
): Promise<boolean | undefined> {
  const url = of.provider.account?.url ?? of.provider.sitesUrl;
  if (url === undefined) return undefined;
  const answer = await ask(ports, of, url, token);
  if (!answer.ok) return false;
  const { status, body } = answer.value;
  return status === 401 || DEAD_AT_SLACK.has(stringMember(body, 'error') ?? '');
}

function ask(
  ports: ConnectionPorts,
  of: Asking,
  url: string,
  token: Secret,
): Promise<Result<JsonAnswer, CallFailure>> {
  return callProvider(ports, of, { url, headers: [['authorization', `Bearer ${token.reveal()}`]] });
}

function unexpected(what: string, { status, isOutage }: JsonAnswer): CallFailure {
  return { detail: `${what}: status ${status}`, isOutage };
}
