import type { IdentityProvider } from '../../core/identity-provider.ts';
import { isJsonObject } from '../../core/json.ts';
import { err, type Result } from '../../core/result.ts';
import type { IssuerPorts } from '../issuer-ports.ts';
import { type CallFailure, callJson, type JsonAnswer } from '../json-call.ts';

/** Why a provider did not tell who logged in. `detail` is for the operator; `isOutage`: it may go better in a moment. */
export type IdpFailure = CallFailure;

/** Within the 29 s of an answer there is room for two attempts, the keys, and GitHub's user. */
const TIMEOUT = { connectMs: 3_000, firstByteMs: 6_000, silenceMs: 6_000, callMs: 6_000 } as const;
const MAX_ANSWER_BYTES = 65_536;

/** One request to a provider, beside what is the same for all of them. */
export type IdpCall = {
  readonly method: 'GET' | 'POST';
  readonly headers: readonly (readonly [string, string])[];
  readonly form?: URLSearchParams;
};

/** Asks a provider and reads its answer as JSON, bounded in time and size. An error needs no body. */
export async function callIdp(
  ports: IssuerPorts,
  provider: IdentityProvider,
  url: string,
  { method, headers, form }: IdpCall,
): Promise<Result<JsonAnswer, IdpFailure>> {
  const answer = await callJson(ports.upstream, {
    url,
    method,
    headers,
    ...(form === undefined
      ? {}
      : { body: { type: 'application/x-www-form-urlencoded', text: form.toString() } }),
    allowPrivate: provider.private,
    isolationKey: `idp ${provider.name}`,
    timeout: TIMEOUT,
    maxBytes: MAX_ANSWER_BYTES,
  });
  if (!answer.ok) return answer;
  const { status, body } = answer.value;
  return status >= 400 || isJsonObject(body) ? answer : failure(`status ${status}, no JSON object`);
}

/** {@link IdpFailure} as a result. */
export function failure(detail: string, isOutage = false): Result<never, IdpFailure> {
  return err({ detail, isOutage });
}
