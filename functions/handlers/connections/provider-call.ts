import type { ConnectionOwner } from '../../core/connection.ts';
import { echoOf } from '../../core/echo.ts';
import type { Provider } from '../../core/provider.ts';
import {
  authenticateAt,
  type ProviderRefusal,
  type ProviderTokens,
  readProviderTokens,
} from '../../core/provider-token.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Secret } from '../../core/secret.ts';
import { type CallFailure, callJson, type JsonAnswer } from '../json-call.ts';
import type { ConnectionPorts } from './connection-ports.ts';

const CONNECT_MS = 3_000;
/** One question. */
const CALL_MS = 7_000;
/** With less time than this nobody is asked: what a provider gives and nobody waits for is lost. */
const LEAST_MS = 3_000;

/** Atlassian lists each site with its scopes. */
const MAX_ANSWER_BYTES = 262_144;

/**
 * Whom a provider is asked for, and until when, in milliseconds of the ports' clock: of several questions each gets what those before it
 * have left.
 */
export type Asking = {
  readonly provider: Provider;
  readonly owner: ConnectionOwner;
  readonly untilMs: number;
};

/** Asks a provider on behalf of one owner, while there is time. */
export async function callProvider(
  ports: ConnectionPorts,
  { provider, owner, untilMs }: Asking,
  request: {
    readonly url: string;
    readonly method?: 'GET' | 'POST' | 'DELETE';
    readonly headers: readonly (readonly [string, string])[];
    readonly body?: { readonly type: string; readonly text: string };
  },
): Promise<Result<JsonAnswer, CallFailure>> {
  const leftMs = untilMs - ports.now();
  if (leftMs < LEAST_MS) return err(OUT_OF_TIME);
  const callMs = Math.min(CALL_MS, leftMs);
  return callJson(ports.upstream, {
    method: 'GET',
    ...request,
    allowPrivate: provider.private,
    isolationKey: JSON.stringify(['provider', provider.name, owner.orgId, owner.subject]),
    timeout: { connectMs: Math.min(CONNECT_MS, callMs), firstByteMs: callMs, silenceMs: callMs, callMs },
    maxBytes: MAX_ANSWER_BYTES,
  });
}

const OUT_OF_TIME: CallFailure = { detail: 'what was asked before has left no time', isOutage: true };

/** Tokens, and which texts have one of them in them, or of what was sent for them: nothing to show or to keep beside them. */
export type Exchanged = ProviderTokens & { readonly isEcho: (text: string) => boolean };

/**
 * Asks for tokens by a code or a refresh token. Of the scopes those that are echoes are dropped. Where the provider does not take our secret,
 * the newest is tried, else the one that a rotation has staged, once and while there is time, so that a rotation shows at once.
 */
export async function askForTokens(
  ports: ConnectionPorts,
  of: Asking,
  grant: Readonly<Record<string, string>>,
): Promise<Result<Exchanged, ProviderRefusal>> {
  const secret = await readClientSecret(ports, of, false);
  if (!secret.ok) return err({ refused: 'unclear', ...secret.error });
  const first = await askWith(ports, of, grant, secret.value);
  if (first.ok || first.error.refused !== 'client' || secret.value === undefined) return first;
  const other = await readOtherSecret(ports, of, secret.value);
  if (!other.ok) return err({ refused: 'unclear', ...other.error });
  return other.value === undefined ? first : askWith(ports, of, grant, other.value);
}

async function askWith(
  ports: ConnectionPorts,
  of: Asking,
  grant: Readonly<Record<string, string>>,
  secret: Secret | undefined,
): Promise<Result<Exchanged, ProviderRefusal>> {
  const { provider } = of;
  const form = new URLSearchParams(grant);
  const headers = [...provider.tokenHeaders, ...authenticateAt(provider, secret, form)];
  const body = { type: 'application/x-www-form-urlencoded', text: form.toString() };
  const answer = await callProvider(ports, of, { url: provider.tokenUrl, method: 'POST', headers, body });
  if (!answer.ok) return err({ refused: 'unclear', ...answer.error });
  const tokens = readProviderTokens(answer.value.status, answer.value.body);
  if (!tokens.ok) return tokens;
  const sent = [grant['code'], grant['code_verifier'], grant['refresh_token'], secret?.reveal()];
  return ok(exchanged(tokens.value, sent));
}

function exchanged(tokens: ProviderTokens, sent: readonly (string | undefined)[]): Exchanged {
  const isEcho = echoOf([...sent, tokens.accessToken.reveal(), tokens.refreshToken?.reveal()]);
  return { ...tokens, scopes: tokens.scopes?.filter((scope) => !isEcho(scope)), isEcho };
}

/** Our secret at a provider, while there is time to use it; undefined for a public client. One that is not there, or may not be read, is in the log. */
export async function readClientSecret(
  ports: ConnectionPorts,
  of: Asking,
  fresh: boolean,
): Promise<Result<Secret | undefined, CallFailure>> {
  const fullName = nameOf(ports, of);
  if (fullName === undefined) return ok(undefined);
  if (of.untilMs - ports.now() < LEAST_MS) return err(OUT_OF_TIME);
  const read = await ports.secrets.read(fullName, { fresh });
  if (read.ok) return ok(read.value.value);
  const { reason } = read.error;
  ports.log({
    level: 'error',
    event: 'provider_secret_unreadable',
    provider: of.provider.name,
    secret: fullName,
    reason,
  });
  return err({ detail: `the client secret is ${reason}`, isOutage: reason === 'unavailable' });
}

/** Another one than the provider has refused: the newest, else the one that waits to be promoted; undefined where there is none. */
async function readOtherSecret(
  ports: ConnectionPorts,
  of: Asking,
  refused: Secret,
): Promise<Result<Secret | undefined, CallFailure>> {
  const isOther = (secret: Secret | undefined) => secret?.reveal() !== refused.reveal();
  const current = await readClientSecret(ports, of, true);
  if (!current.ok || isOther(current.value)) return current;
  const fullName = nameOf(ports, of);
  if (fullName === undefined || of.untilMs - ports.now() < LEAST_MS) return ok(undefined);
  const waiting = await ports.secrets.read(fullName, { stage: 'AWSPENDING', fresh: true });
  return ok(waiting.ok && isOther(waiting.value.value) ? waiting.value.value : undefined);
}

function nameOf(ports: ConnectionPorts, { provider }: Asking): string | undefined {
  return provider.clientSecretName?.replaceAll('{stage}', ports.stage);
}
