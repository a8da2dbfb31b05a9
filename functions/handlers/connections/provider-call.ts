import { echoOf } from '../../core/echo.ts';
import {
  authenticateAt,
  type ProviderRefusal,
  type ProviderTokens,
  readProviderTokens,
} from '../../core/provider-token.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Secret } from '../../core/secret.ts';
import { type CallFailure, callJson, type JsonAnswer } from '../json-call.ts';
import { type Asking, LEAST_MS, OUT_OF_TIME } from './asking.ts';
import type { ConnectionPorts } from './connection-ports.ts';
import { withClientSecret } from './provider-secret.ts';

const CONNECT_MS = 3_000;
/** One question. */
const CALL_MS = 7_000;

/** Atlassian lists each site with its scopes. */
const MAX_ANSWER_BYTES = 262_144;

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

/** Tokens, and which texts have one of them in them, or of what was sent for them: nothing to show or to keep beside them. */
export type Exchanged = ProviderTokens & { readonly isEcho: (text: string) => boolean };

/** Asks for tokens by a code or a refresh token. Of the scopes those that are echoes are dropped. */
export async function askForTokens(
  ports: ConnectionPorts,
  of: Asking,
  grant: Readonly<Record<string, string>>,
): Promise<Result<Exchanged, ProviderRefusal>> {
  const asked = await withClientSecret(
    ports,
    of,
    (secret) => askWith(ports, of, grant, secret),
    (tokens) => !tokens.ok && tokens.error.refused === 'client',
  );
  return asked.ok ? asked.value : err({ refused: 'unclear', ...asked.error });
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
  const { status, body: received, isOutage } = answer.value;
  const tokens = readProviderTokens(status, received);
  if (!tokens.ok) {
    // A grant that is named as ended has ended, also where the same answer says how often somebody has asked.
    const isUnclear = isOutage && tokens.error.refused !== 'grant';
    return isUnclear ? err({ ...tokens.error, refused: 'unclear', isOutage }) : tokens;
  }
  const sent = [grant['code'], grant['code_verifier'], grant['refresh_token'], secret?.reveal()];
  return ok(exchanged(tokens.value, sent));
}

function exchanged(tokens: ProviderTokens, sent: readonly (string | undefined)[]): Exchanged {
  const isEcho = echoOf([...sent, tokens.accessToken.reveal(), tokens.refreshToken?.reveal()]);
  return { ...tokens, scopes: tokens.scopes?.filter((scope) => !isEcho(scope)), isEcho };
}
