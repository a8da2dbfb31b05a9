import { USER_AGENT } from '../core/forward.ts';
import { type Json, parseJson } from '../core/json.ts';
import { isOutageStatus, isRateLimit } from '../core/outage-status.ts';
import type { Upstream, UpstreamTimeout } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { discard, readStream } from './body.ts';

/** Why nothing was learned. `isOutage`: it may go better in a moment. `detail` is for the operator. */
export type CallFailure = { readonly detail: string; readonly isOutage: boolean };

/** One request to somebody who answers JSON. */
export type JsonCall = {
  readonly url: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: { readonly type: string; readonly text: string };
  readonly allowPrivate: boolean;
  readonly isolationKey: string;
  readonly timeout: UpstreamTimeout;
  /** What is longer is not read. */
  readonly maxBytes: number;
};

/** An answer; no body is `null`, and so is one of an error that is no JSON. `isOutage`: its status says so, or that it is a rate limit. */
export type JsonAnswer = { readonly status: number; readonly body: Json; readonly isOutage: boolean };

/**
 * Asks through the guarded client, bounded in time and size, and reads the answer as strict JSON. An error is an answer in whatever form it
 * comes: its status says what there is to know.
 */
export async function callJson(upstream: Upstream, call: JsonCall): Promise<Result<JsonAnswer, CallFailure>> {
  const { url, method, headers, body, allowPrivate, isolationKey, timeout, maxBytes } = call;
  const answer = await upstream.send({
    url: new URL(url),
    method,
    headers: new Map([
      ['accept', 'application/json'],
      ['user-agent', USER_AGENT],
      ...(body === undefined ? [] : [['content-type', body.type] as const]),
      ...headers,
    ]),
    body: body === undefined ? undefined : Buffer.from(body.text),
    allowPrivate,
    isolationKey,
    timeout,
    signal: new AbortController().signal,
  });
  if (!answer.ok) return failed(`${answer.error.reason}: ${answer.error.detail}`, true);
  const { status, headers: received } = answer.value;
  const answered = (parsed: Json): Result<JsonAnswer, CallFailure> => {
    const isOutage = isOutageStatus(status) || isRateLimit(status, received, parsed);
    return ok({ status, body: parsed, isOutage });
  };
  if ((received.get('content-encoding') ?? 'identity') !== 'identity') {
    await discard(answer.value.body);
    return status >= 400 ? answered(null) : failed('an encoded answer');
  }
  const bytes = await readStream(answer.value.body, maxBytes).catch(() => undefined);
  if (bytes === undefined) {
    return failed(`an answer that is cut off, too slow, or more than ${maxBytes / 1_024} KB`, true);
  }
  if (bytes.byteLength === 0) return answered(null);
  const parsed = parseJson(bytes, { maxDepth: 16, caseVariants: 'keep' });
  if (parsed.ok) return answered(parsed.value);
  return status >= 400 ? answered(null) : failed(`status ${status}, no JSON`);
}

function failed(detail: string, isOutage = false): Result<never, CallFailure> {
  return err({ detail, isOutage });
}
