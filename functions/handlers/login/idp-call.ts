import { USER_AGENT } from '../../core/forward.ts';
import type { IdentityProvider } from '../../core/identity-provider.ts';
import { isJsonObject, type Json, parseJson } from '../../core/json.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { discard, readStream } from '../body.ts';
import type { IssuerPorts } from '../issuer-ports.ts';

/** Why a provider did not tell who logged in. `detail` is for the operator; `isOutage`: it may go better in a moment. */
export type IdpFailure = { readonly detail: string; readonly isOutage: boolean };

/** Within the 29 s of an answer there is room for two attempts, the keys, and GitHub's user. */
const TIMEOUT = { connectMs: 3_000, firstByteMs: 6_000, silenceMs: 6_000, callMs: 6_000 } as const;
const MAX_ANSWER_BYTES = 65_536;

/** One request to a provider, beside what is the same for all of them. */
export type IdpCall = {
  readonly method: 'GET' | 'POST';
  readonly headers: readonly (readonly [string, string])[];
  readonly form?: URLSearchParams;
};

/** Asks a provider and reads its answer as JSON, bounded in time and size. */
export async function callIdp(
  ports: IssuerPorts,
  provider: IdentityProvider,
  url: string,
  { method, headers, form }: IdpCall,
): Promise<Result<{ readonly status: number; readonly body: Json }, IdpFailure>> {
  const answer = await ports.upstream.send({
    url: new URL(url),
    method,
    headers: new Map([
      ['accept', 'application/json'],
      ['user-agent', USER_AGENT],
      ...(form === undefined ? [] : [['content-type', 'application/x-www-form-urlencoded'] as const]),
      ...headers,
    ]),
    body: form === undefined ? undefined : Buffer.from(form.toString()),
    allowPrivate: provider.private,
    isolationKey: `idp ${provider.name}`,
    timeout: TIMEOUT,
    signal: new AbortController().signal,
  });
  if (!answer.ok) return failure(`${answer.error.reason}: ${answer.error.detail}`, true);
  const { status, headers: received, body } = answer.value;
  if ((received.get('content-encoding') ?? 'identity') !== 'identity') {
    await discard(body);
    return failure('an encoded answer');
  }
  const bytes = await readStream(body, MAX_ANSWER_BYTES).catch(() => undefined);
  if (bytes === undefined) return failure('an answer that is cut off, too slow, or more than 64 KB', true);
  const parsed = parseJson(bytes, { maxDepth: 16, caseVariants: 'keep' });
  if (parsed.ok && isJsonObject(parsed.value)) return ok({ status, body: parsed.value });
  return failure(`status ${status}, no JSON object`, status >= 500);
}

/** {@link IdpFailure} as a result. */
export function failure(detail: string, isOutage = false): Result<never, IdpFailure> {
  return err({ detail, isOutage });
}
