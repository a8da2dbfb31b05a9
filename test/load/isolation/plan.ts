import { canary } from '../canary.ts';
import { Random } from '../random.ts';
import {
  type Choice,
  type Circumstances,
  choose,
  type Expected,
  type HttpMethod,
  LEGACY,
  MODERN,
  PURPOSES,
  type Purpose,
  type Rpc,
  refusal,
  SERVED,
} from './choice.ts';
import type { LiveToken, Party, Session } from './party.ts';
import type { Target } from './target.ts';
import type { World } from './world.ts';

/** What goes wrong with one request, if anything does. */
export type Fault = keyof typeof FAULT_WEIGHTS;

/** When the client goes away, if it does: while it waits for the answer, or after the first piece of it. */
export type Abort = 'waiting' | 'reading';

/** One request of one caller, thought out before it is sent. */
export type Plan = {
  readonly number: number;
  readonly purpose: Purpose;
  readonly party: Party;
  readonly token: LiveToken;
  /** The server that calls out on the party's behalf, for egress. */
  readonly server: { readonly party: Party; readonly token: LiveToken } | undefined;
  readonly target: Target;
  readonly method: HttpMethod;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly rpc: Rpc | undefined;
  /** The JSON-RPC id as it is written; undefined where the request has none. */
  readonly rpcId: string | undefined;
  /** The caller's own session that the request is in. */
  readonly session: Session | undefined;
  readonly fault: Fault | undefined;
  readonly abort: Abort | undefined;
  readonly expected: Expected;
  /** Chance for everything that happens to this request on its way. */
  readonly random: Random;
};

const FAULT_WEIGHTS = {
  audit: 1,
  revocations: 1,
  secrets_outage: 1,
  secrets_denied: 0.3,
  signing: 1,
  bug: 1,
  timeout: 2,
  unreachable: 1,
  redirect: 1,
  stale_secret: 2,
  error_page: 1,
  rpc_error: 1,
  encoded: 1,
  broken_off: 2,
};

const UPSTREAM_FAULTS: ReadonlySet<Fault> = new Set<Fault>([
  'unreachable',
  'redirect',
  'stale_secret',
  'error_page',
  'rpc_error',
  'encoded',
  'broken_off',
]);

const ABORTS = 0.05;
const FAULTS = 0.06;
const VERSION_META = 'io.modelcontextprotocol/protocolVersion';

/** Thinks out request number `number`: the same for the same seed, but for what the callers' tokens and sessions are by then. */
export function planRequest(world: World, seed: number, number: number): Plan {
  const random = new Random(seed, number);
  const party = random.pick(world.blueprint.parties);
  const circumstances = { world, random, party, token: world.tokenOf(party, random), number };
  const choice = choose(random.weighted(PURPOSES), circumstances);
  const { purpose, target, session, rpc, method = 'POST', token = circumstances.token } = choice;
  const isModern = choice.isModern ?? random.chance(0.6);
  const rpcId =
    rpc === undefined || rpc.method.startsWith('notifications/') ? undefined : idOf(random, number);
  return {
    number,
    purpose,
    party,
    token,
    server: undefined,
    target,
    method,
    path: `/${target.name}/mcp`,
    headers: headersOf(choice, { ...circumstances, token }, isModern),
    body: rpc === undefined ? undefined : bodyOf(rpc, rpcId, isModern),
    rpc,
    rpcId,
    session,
    fault: purpose === 'bad_token' ? undefined : faultOf(world, random),
    abort: random.chance(ABORTS) ? random.pick(['waiting', 'reading'] as const) : undefined,
    expected: choice.expected,
    random,
  };
}

/** The call that a server makes to an API while it serves a caller, with the token that it was given for that. */
export function planEgress(world: World, within: Plan, number: number, identityToken: string): Plan {
  const random = new Random(within.number, number);
  const { party } = within;
  const isForeign = random.chance(0.1);
  const servers = world.blueprint.finServers.filter(({ org }) => (org === party.org) !== isForeign);
  const server = random.pick(servers);
  const serverToken = world.tokenOf(server, random);
  const target = random.pick(world.blueprint.services);
  const hasSecret = world.secretOf(target, party).slot !== undefined;
  const method = random.pick(['GET', 'POST'] as const);
  return {
    number,
    purpose: 'egress',
    party,
    token: within.token,
    server: { party: server, token: serverToken },
    target,
    method,
    path: `/egress/${target.name}/v2/${canary('argument', number)}?q=${canary('argument', number)}`,
    headers: {
      authorization: `Bearer ${serverToken.compact}`,
      'x-delegation': identityToken,
      accept: 'application/json',
      traceparent: traceOf(number),
      'if-none-match': `"${canary('header', number)}"`,
      cookie: canary('hidden', number),
      'x-api-key': canary('hidden', number),
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
    },
    body: method === 'POST' ? JSON.stringify({ text: canary('argument', number) }) : undefined,
    rpc: undefined,
    rpcId: undefined,
    session: undefined,
    fault: undefined,
    abort: undefined,
    expected: isForeign || !hasSecret ? refusal(403) : SERVED,
    random,
  };
}

/** What goes wrong; at a gateway that is deployed, only what its upstreams do. */
function faultOf(world: World, random: Random): Fault | undefined {
  if (!random.chance(FAULTS)) return undefined;
  const fault = random.weighted(FAULT_WEIGHTS);
  return world.gate.isDeployed && !UPSTREAM_FAULTS.has(fault) ? undefined : fault;
}

/** Half of all ids are ones that others use at the same time. */
function idOf(random: Random, number: number): string {
  if (random.chance(0.5)) return random.pick(['1', '2', '"1"']);
  return random.chance(0.5) ? String(number) : JSON.stringify(canary('rpcId', number));
}

function bodyOf({ method, params }: Rpc, id: string | undefined, isModern: boolean): string {
  const all = isModern ? { ...params, _meta: { [VERSION_META]: MODERN } } : params;
  const text = JSON.stringify({ jsonrpc: '2.0', method, params: all });
  return id === undefined ? text : `${text.slice(0, -1)},"id":${id}}`;
}

function headersOf(
  choice: Choice,
  circumstances: Circumstances,
  isModern: boolean,
): Readonly<Record<string, string>> {
  const { rpc, target, method = 'POST', without = [] } = choice;
  const { random, token, number } = circumstances;
  const isPassed = target.mode === 'passthrough';
  const bearer = `Bearer ${token.compact}`;
  const other = `Bearer ${canary(isPassed ? 'authorization' : 'hidden', number)}`;
  const all: Record<string, string> = {
    ...(isPassed || random.chance(0.2)
      ? { 'x-authorization': bearer, authorization: other }
      : { authorization: bearer }),
    accept: 'application/json, text/event-stream',
    traceparent: traceOf(number),
    cookie: `session=${canary('hidden', number)}`,
    'x-tracking': canary('hidden', number),
    'x-provider-id': canary(isPassed ? 'header' : 'hidden', number),
    'mcp-param-region': canary('header', number),
  };
  if (method === 'POST') all['content-type'] = 'application/json';
  if (isModern || random.chance(0.5)) all['mcp-protocol-version'] = isModern ? MODERN : LEGACY;
  if (isModern && rpc !== undefined) {
    all['mcp-method'] = rpc.method;
    if (rpc.name !== undefined) all['mcp-name'] = rpc.name;
  }
  for (const name of without) delete all[name];
  return { ...all, ...choice.headers };
}

function traceOf(number: number): string {
  return `00-${traceIdOf(number)}-00000000000000aa-01`;
}

/** The trace id of a request, which its audit records must carry. */
export function traceIdOf(number: number): string {
  return (number + 1).toString(16).padStart(32, '0');
}
