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
 * Asks for tokens by a code or a refresh token. Of the scopes those that are echoes are dropped. Our secret, where the provider does not take it, is read past the cache and tried once
 * more while there is time, so that a rotation shows at once.
 */
export async function askForTokens(
  ports: ConnectionPorts,
  of: Asking,
  grant: Readonly<Record<string, string>>,
): Promise<Result<Exchanged, ProviderRefusal>> {
  const { provider } = of;
  let tried: { readonly secret: string | undefined; readonly refusal: ProviderRefusal } | undefined;
  for (const fresh of [false, true]) {
    const secret = await readClientSecret(ports, of, fresh);
    if (!secret.ok) return err({ refused: 'unclear', ...secret.error });
    if (tried !== undefined && tried.secret === secret.value?.reveal()) return err(tried.refusal);
    const form = new URLSearchParams(grant);
    const headers = [...provider.tokenHeaders, ...authenticateAt(provider, secret.value, form)];
    const body = { type: 'application/x-www-form-urlencoded', text: form.toString() };
    const answer = await callProvider(ports, of, { url: provider.tokenUrl, method: 'POST', headers, body });
    if (!answer.ok) return err({ refused: 'unclear', ...answer.error });
    const tokens = readProviderTokens(answer.value.status, answer.value.body);
    if (tokens.ok)
      return ok(
        exchanged(tokens.value, [
          grant['code'],
          grant['code_verifier'],
          grant['refresh_token'],
          secret.value?.reveal(),
        ]),
      );
    if (tokens.error.refused !== 'client') return tokens;
    tried = { secret: secret.value?.reveal(), refusal: tokens.error };
  }
  return err({ refused: 'client', isOutage: false, detail: 'the provider does not take our client secret' });
}

function exchanged(tokens: ProviderTokens, sent: readonly (string | undefined)[]): Exchanged {
  const isEcho = echoOf([...sent, tokens.accessToken.reveal(), tokens.refreshToken?.reveal()]);
  return { ...tokens, scopes: tokens.scopes?.filter((scope) => !isEcho(scope)), isEcho };
}

/** Our secret at a provider, while there is time to use it; undefined for a public client. One that is not there, or may not be read, is in the log. */
export async function readClientSecret(
  ports: ConnectionPorts,
  { provider: { name, clientSecretName }, untilMs }: Asking,
  fresh: boolean,
): Promise<Result<Secret | undefined, CallFailure>> {
  if (clientSecretName === undefined) return ok(undefined);
  if (untilMs - ports.now() < LEAST_MS) return err(OUT_OF_TIME);
  const fullName = clientSecretName.replaceAll('{stage}', ports.stage);
  const read = await ports.secrets.read(fullName, { fresh });
  if (read.ok) return ok(read.value.value);
  const { reason } = read.error;
  ports.log({
    level: 'error',
    event: 'provider_secret_unreadable',
    provider: name,
    secret: fullName,
    reason,
  });
  return err({ detail: `the client secret is ${reason}`, isOutage: reason === 'unavailable' });
}
