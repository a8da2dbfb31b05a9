import type { Message } from '../../core/action.ts';
import type { ConnectionRequired, Denial } from '../../core/denial.ts';
import { writeJson } from '../../core/json.ts';
import type { RateLimit } from '../../core/rate-limit.ts';
import { err, ok, type Result } from '../../core/result.ts';
import {
  answerToConnect,
  canBeAsked,
  ownStepOf,
  RETRY_SECONDS,
  readRetryState,
  requestStateOf,
  withoutRetry,
  writeRetryState,
} from '../../core/retry-state.ts';
import type { Sealer } from '../../core/seal.ts';
import type { McpBackend, McpCall } from '../mcp.ts';
import { type CountingPorts, countOne } from '../rate-counter.ts';

/** The ports of asking for a connection. `now` is in milliseconds. */
export type AskingPorts = CountingPorts & {
  /** Undefined while the sealing secret cannot be read. */
  readonly sealer: () => Promise<Sealer | undefined>;
  /** 12 random bytes. */
  readonly nonce: () => Uint8Array;
  /** How long a request waits that is sent again while its user connects, and how often it looks; absent: {@link CONNECT_WAIT}. */
  readonly connectWait?: ConnectWait;
};

/** A wait, in milliseconds by the clock. */
export type ConnectWait = { readonly everyMs: number; readonly forMs: number };

/** Clients send a request again as soon as their user agrees to open the URL; with the server's own first byte it stays below 60 s. */
export const CONNECT_WAIT: ConnectWait = { everyMs: 1_500, forMs: 25_000 };

/** How often a user may begin to wait: each wait holds a function, and a state of ours may be sent any number of times. */
const WAITS: RateLimit = { name: 'connect_waits', max: 10, windowSeconds: 30 };

/**
 * A server behind, whose calls may need a connection of their user. Where one is missing and the client can be asked, the denial gets a state
 * of ours, by which the same request of the same caller is known when it is sent again. What of a request is about that state is taken out
 * before it goes on; a state of the server behind is none of ours and travels untouched, or within ours where ours comes between. A state of ours of another caller, for another
 * request or past its time is refused. Who agreed is waited for, for as long as the call still holds; who did not is not asked again. Who has begun
 * to wait too often is asked again at once.
 */
export function askForConnections(ports: AskingPorts, behind: McpBackend): McpBackend {
  return {
    accepts: (policy, server, httpMethod) => behind.accepts(policy, server, httpMethod),

    async send(call) {
      const retried = await openRetry(ports, call);
      if (!retried.ok) return retried;
      const { message, answer } = retried.value;
      const asked: McpCall =
        message === call.message || message === undefined
          ? call
          : { ...call, message, body: Buffer.from(writeJson(message.body)) };
      const first = await behind.send(asked);
      const sent = answer === 'accept' ? await waitToSend(ports, behind, asked, first) : first;
      if (sent.ok || sent.error.reason !== 'connection_required') return sent;
      const isRefused = answer === 'decline' || answer === 'cancel';
      return isRefused ? sent : err(await sealState(ports, asked, sent.error));
    },
  };
}

type Retried = {
  readonly message: Message | undefined;
  readonly answer: ReturnType<typeof answerToConnect>;
};

async function openRetry(ports: AskingPorts, call: McpCall): Promise<Result<Retried, Denial>> {
  const { message } = call;
  const sealed = message === undefined ? undefined : requestStateOf(message);
  if (message === undefined || sealed === undefined) return ok({ message, answer: undefined });
  const sealer = await ports.sealer();
  if (sealer === undefined)
    return err({ reason: 'unavailable', detail: 'the sealing secret cannot be read' });
  const text = sealer.open('retry', '', sealed);
  const state = text === undefined ? undefined : readRetryState(text);
  if (state === undefined) return ok({ message, answer: undefined });
  const isForThis =
    state.caller === call.caller.key &&
    state.server === call.server &&
    state.method === message.method &&
    state.name === message.name &&
    ports.now() / 1_000 < state.expiresAtSeconds;
  if (isForThis) return ok({ message: withoutRetry(message, state.step), answer: answerToConnect(message) });
  return err({
    reason: 'malformed_message',
    code: -32602,
    message: '`requestState` is not for this request, or too old; send the request without it',
    id: message.id,
  });
}

/** Sends it again until there is a connection, the time is over, the client is gone, or the call holds no more. */
async function waitToSend(
  ports: AskingPorts,
  behind: McpBackend,
  call: McpCall,
  first: Awaited<ReturnType<McpBackend['send']>>,
): ReturnType<McpBackend['send']> {
  const { everyMs, forMs } = ports.connectWait ?? CONNECT_WAIT;
  const untilMs = ports.now() + forMs;
  let sent = first;
  if (needsConnection(sent) && !(await mayWait(ports, call))) return sent;
  while (ports.now() < untilMs) {
    if (!needsConnection(sent) || call.invocation.signal.aborted) return sent;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
    const held = await call.stillHolds();
    if (!held.ok) return held;
    sent = await behind.send(call);
  }
  return sent;
}

/** Is it a connection that is missing? One that is there, and that the server behind does not take, was sent, and is not sent again and again. */
function needsConnection(sent: Awaited<ReturnType<McpBackend['send']>>): boolean {
  return !sent.ok && sent.error.reason === 'connection_required' && sent.error.isRefused !== true;
}

/** Where it cannot be counted, nobody waits. */
async function mayWait(ports: CountingPorts, { caller }: McpCall): Promise<boolean> {
  return (await countOne(ports, WAITS, [caller.orgId, caller.subject])).ok;
}

/** The denial with a state, where the client can be asked; as it is where it cannot, or where nothing can be sealed. */
async function sealState(
  ports: AskingPorts,
  { caller, server, message }: McpCall,
  denial: ConnectionRequired,
): Promise<ConnectionRequired> {
  if (message === undefined || !canBeAsked(message)) return denial;
  const { method = '', name = '' } = message;
  const expiresAtSeconds = Math.floor(ports.now() / 1_000) + RETRY_SECONDS;
  const step = ownStepOf(message);
  const text = writeRetryState({ caller: caller.key, server, method, name, expiresAtSeconds, step });
  const sealer = await ports.sealer();
  if (sealer === undefined) return denial;
  return { ...denial, requestState: sealer.seal('retry', '', text, ports.nonce()) };
}
