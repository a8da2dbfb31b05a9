import type { Denial } from '../core/denial.ts';
import type { Pruner } from '../core/prune.ts';
import { readStream } from './body.ts';
import { type Answer, answerDenial, type Delivery, MAX_READ_BYTES } from './delivery.ts';
import { relay, type StillHolds } from './relay.ts';

/** An answer in JSON, read whole and pruned; a denial where it cannot be read, or its caller may not have it any more. */
export async function prunedAnswer(
  { status, headers, body: source, end }: Answer,
  { message, invocation, stillHolds }: Delivery,
  pruner: Pruner,
): Promise<Response> {
  const { body, withdrawal } = await readWhileHeld(source, stillHolds);
  if (withdrawal !== undefined) {
    end(`withdrawn: ${withdrawal.reason}`);
    return answerDenial(withdrawal, message, invocation);
  }
  const text = body === undefined ? undefined : new TextDecoder().decode(body);
  // An error of the server may be no JSON; then it lists nothing.
  const pruned = text === undefined ? undefined : (pruner(text) ?? (status >= 400 ? text : undefined));
  // Nothing of something is left where the answer was news alone.
  const isAnswer = pruned !== undefined && (pruned !== '' || text === '');
  end(isAnswer ? 'complete' : 'unreadable_list');
  if (isAnswer) return new Response(pruned, { status, headers });
  return answerDenial({ reason: 'unreachable', detail: 'unreadable list' }, message, invocation);
}

/** Reads a body as it is relayed: who may not have it any more is not kept waiting for its end. Neither: it cannot be read. */
async function readWhileHeld(
  source: ReadableStream<Uint8Array>,
  stillHolds: StillHolds,
): Promise<{ readonly body?: Uint8Array | undefined; readonly withdrawal?: Denial }> {
  let withdrawal: Denial | undefined;
  const look: StillHolds = async () => {
    const held = await stillHolds();
    if (!held.ok) withdrawal = held.error;
    return held;
  };
  const body = await readStream(relay(source, { stillHolds: look, onEnd: () => {} }), MAX_READ_BYTES).catch(
    () => undefined,
  );
  return withdrawal === undefined ? { body } : { withdrawal };
}
