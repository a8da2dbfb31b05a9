import { canary } from '../canary.ts';
import type { Random } from '../random.ts';
import type { LiveToken, Party, Session } from './party.ts';
import { hasAccess, isGranted, type Target, TOOLS } from './target.ts';
import type { World } from './world.ts';

/** The revision of the stateless era, and the last one of sessions. */
export const MODERN = '2026-07-28';
export const LEGACY = '2025-11-25';

/** How often what is asked. */
export const PURPOSES = {
  call: 46,
  list: 12,
  read: 5,
  notify: 3,
  initialize: 5,
  in_session: 8,
  end_session: 1,
  stream: 1,
  not_granted: 8,
  foreign_session: 3,
  foreign_server: 3,
  bad_token: 3,
  malformed: 2,
};

/** What a request is about. */
export type Purpose = keyof typeof PURPOSES | 'egress';

/** What the harness knows that the gateway must do where nothing goes wrong. */
export type Expected = { readonly statuses: readonly number[]; readonly reachesUpstream: boolean };

/** The HTTP methods of the transport. */
export type HttpMethod = 'POST' | 'GET' | 'DELETE';

/** The JSON-RPC part of a request. */
export type Rpc = {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** What the method addresses. */
  readonly name?: string;
};

/** What of a request depends on its purpose. */
export type Choice = {
  readonly purpose: Purpose;
  readonly target: Target;
  readonly expected: Expected;
  readonly method?: HttpMethod;
  readonly rpc?: Rpc;
  readonly token?: LiveToken;
  readonly isModern?: boolean;
  readonly session?: Session;
  /** Headers beside the usual ones, or instead of them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Names of usual headers that are left out. */
  readonly without?: readonly string[];
};

/** What a choice is made in. */
export type Circumstances = {
  readonly world: World;
  readonly random: Random;
  readonly party: Party;
  readonly token: LiveToken;
  readonly number: number;
};

/** What a granted call is due. */
export const SERVED: Expected = { statuses: [200], reachesUpstream: true };

/** What is refused before anything goes out. */
export function refusal(...statuses: readonly number[]): Expected {
  return { statuses, reachesUpstream: false };
}

/** What a caller does next, for a purpose; where that cannot be done yet, something else. */
export function choose(purpose: keyof typeof PURPOSES, circumstances: Circumstances): Choice {
  switch (purpose) {
    case 'in_session':
    case 'end_session':
      return chooseInSession(purpose, circumstances);
    case 'foreign_session':
      return chooseForeignSession(circumstances);
    case 'foreign_server':
      return chooseForeignServer(circumstances);
    case 'bad_token':
      return chooseBadToken(circumstances);
    default:
      return chooseOrdinary(purpose, circumstances);
  }
}

/** What a caller does on a server to which it has access; without any, it tries all the same. */
function chooseOrdinary(
  purpose: 'call' | 'list' | 'read' | 'notify' | 'initialize' | 'stream' | 'not_granted' | 'malformed',
  circumstances: Circumstances,
): Choice {
  const { world, random, party, token, number } = circumstances;
  const visible = world.blueprint.targets.filter(({ org }) => org === undefined || org === party.org);
  const open = visible.filter((target) => hasAccess(token.scopes, target));
  if (open.length === 0) {
    const rpc = toolCall(random.pick(TOOLS), number);
    return { purpose: 'not_granted', target: random.pick(visible), rpc, expected: refusal(200, 403) };
  }
  const target = random.pick(open);
  const served = servedAt(world, target, party);
  const tools = TOOLS.filter((tool) => isGranted(token.scopes, target, tool));
  const uri = `doc://${canary('name', number)}`;
  switch (purpose) {
    case 'call':
      return { purpose, target, rpc: toolCall(random.pick(tools), number), expected: served };
    case 'list':
      return { purpose, target, rpc: { method: 'tools/list', params: {} }, expected: served };
    case 'read':
      return {
        purpose,
        target,
        rpc: { method: 'resources/read', params: { uri }, name: uri },
        expected: served,
      };
    case 'notify': {
      const params = { progressToken: canary('argument', number), progress: 1 };
      const rpc = { method: 'notifications/progress', params };
      return {
        purpose,
        target,
        rpc,
        expected: { ...served, statuses: served.reachesUpstream ? [202] : [403] },
      };
    }
    case 'initialize': {
      const clientInfo = { name: canary('argument', number), version: '1' };
      const params = { protocolVersion: LEGACY, capabilities: {}, clientInfo };
      return { purpose, target, rpc: { method: 'initialize', params }, isModern: false, expected: served };
    }
    case 'stream': {
      const streams = open.find(({ name }) => name === 'streams');
      if (streams === undefined) return chooseOrdinary('list', circumstances);
      const headers = { 'mcp-protocol-version': LEGACY };
      return { purpose, target: streams, method: 'GET', isModern: false, headers, expected: SERVED };
    }
    case 'not_granted': {
      const tool = TOOLS.find((name) => !tools.includes(name));
      if (tool === undefined) return chooseOrdinary('list', circumstances);
      // The authorizer in front answers with a challenge where a scope would help.
      const expected = world.gate.isDeployed ? refusal(200, 403) : refusal(200);
      return { purpose, target, rpc: toolCall(tool, number), expected };
    }
    case 'malformed': {
      const headers = { 'mcp-name': canary('name', number) };
      return {
        purpose,
        target,
        rpc: toolCall(random.pick(tools), number),
        isModern: true,
        headers,
        expected: refusal(400),
      };
    }
  }
}

function chooseInSession(purpose: 'in_session' | 'end_session', circumstances: Circumstances): Choice {
  const { world, random, party, token, number } = circumstances;
  const sessions = party.sessions.filter((session) => mayResume(token, session));
  if (sessions.length === 0) return chooseOrdinary('initialize', circumstances);
  const session = random.pick(sessions);
  const { target } = session;
  const expected = servedAt(world, target, party);
  const headers = { 'mcp-session-id': session.sealed };
  if (purpose === 'end_session') {
    const ended = { ...expected, statuses: expected.reachesUpstream ? [200, 204] : [403] };
    return { purpose, target, method: 'DELETE', isModern: false, session, headers, expected: ended };
  }
  const tools = TOOLS.filter((tool) => isGranted(token.scopes, target, tool));
  const rpc = random.chance(0.3)
    ? { method: 'tools/list', params: {} }
    : toolCall(random.pick(tools), number);
  return { purpose, target, rpc, isModern: false, session, headers, expected };
}

/** Of so many callers one has a session that this token could be in. */
const FOREIGN_TRIES = 12;

/** A token that has less than the one that opened it finds no session. */
function mayResume(token: LiveToken, { target, scopes }: Session): boolean {
  return hasAccess(token.scopes, target) && scopes.every((scope) => token.scopes.includes(scope));
}

/** Somebody else's session id: unknown in its era, and of no meaning in the other. */
function chooseForeignSession(circumstances: Circumstances): Choice {
  const { world, random, party, token, number } = circumstances;
  // Of those whose scopes this token has: then it is the caller alone that stands between.
  const sessions = Array.from({ length: FOREIGN_TRIES }, () => random.pick(world.blueprint.parties))
    .filter((other) => other !== party)
    .flatMap((other) => other.sessions)
    .filter(
      ({ target, scopes }) =>
        hasAccess(token.scopes, target) && scopes.every((scope) => token.scopes.includes(scope)),
    );
  if (sessions.length === 0) return chooseOrdinary('initialize', circumstances);
  const { target, sealed } = random.pick(sessions);
  const isModern = random.chance(0.3);
  const tools = TOOLS.filter((tool) => isGranted(token.scopes, target, tool));
  return {
    purpose: 'foreign_session',
    target,
    rpc: toolCall(random.pick(tools), number),
    isModern,
    headers: { 'mcp-session-id': sealed },
    expected: isModern ? servedAt(world, target, party) : refusal(404),
  };
}

function chooseForeignServer({ world, random, party, number }: Circumstances): Choice {
  const target = random.pick(
    world.blueprint.targets.filter(({ org }) => org !== undefined && org !== party.org),
  );
  return {
    purpose: 'foreign_server',
    target,
    rpc: toolCall(random.pick(TOOLS), number),
    expected: refusal(404),
  };
}

/** No token, one that was revoked, one under another's signature, another's name, and two at once. */
function chooseBadToken({ world, random, party, token, number }: Circumstances): Choice {
  const target = random.pick(world.blueprint.targets);
  const other = random.pick(world.blueprint.parties.filter((one) => one !== party));
  const otherToken = world.tokenOf(other, random);
  const signed = token.compact.slice(0, token.compact.lastIndexOf('.'));
  const spliced = `${signed}${otherToken.compact.slice(otherToken.compact.lastIndexOf('.'))}`;
  const revoked = world.revoked.get(party) ?? token;
  const common = {
    purpose: 'bad_token',
    target,
    rpc: toolCall(random.pick(TOOLS), number),
    expected: refusal(401),
  } as const;
  const bearer = (compact: string) => ({ authorization: `Bearer ${compact}` });
  switch (random.below(5)) {
    case 0:
      return { ...common, without: ['authorization', 'x-authorization'] };
    case 1:
      return { ...common, without: ['x-authorization'], headers: bearer(revoked.compact), token: revoked };
    case 2:
      return { ...common, without: ['x-authorization'], headers: bearer(spliced) };
    case 3:
      return {
        ...common,
        without: ['x-authorization'],
        headers: bearer(`${token.compact}, Bearer ${otherToken.compact}`),
      };
    default:
      return {
        ...common,
        headers: { 'x-client-id': other.clientId === party.clientId ? 'nobody' : other.clientId },
      };
  }
}

/** A caller whose secret for a server is missing is refused there. */
function servedAt(world: World, target: Target, party: Party): Expected {
  const isMissing = target.mode === 'service_account' && world.secretOf(target, party).slot === undefined;
  return isMissing ? refusal(200, 403) : SERVED;
}

function toolCall(name: string, number: number): Rpc {
  return { method: 'tools/call', name, params: { name, arguments: { text: canary('argument', number) } } };
}
