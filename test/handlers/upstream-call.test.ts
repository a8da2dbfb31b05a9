import { describe, expect, test } from 'vitest';
import { recordedReason } from '../../functions/core/denial.ts';
import type { Upstream, UpstreamRequest } from '../../functions/core/ports.ts';
import { err, ok } from '../../functions/core/result.ts';
import { Secret } from '../../functions/core/secret.ts';
import { createCredentials } from '../../functions/handlers/credentials.ts';
import type { StillHolds } from '../../functions/handlers/relay.ts';
import { readMcpAnswer } from '../../functions/handlers/server-answer.ts';
import { callUpstream, type OutboundCall } from '../../functions/handlers/upstream-call.ts';
import { NO_CONNECTIONS } from '../support/no-connections.ts';
import { callerOf, clientEntry, policyOf, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';
import { NO_TOKEN_ENDPOINT } from '../support/token-ports.ts';

const issuer = new TestIssuer();
const caller = callerOf(issuer, policyOf({ clients: [clientEntry('courier')] }), []);
const target = serverEntry('maps', { egress: { mode: 'passthrough', key: 'client', fallback: 'none' } });
const now = () => NOW_SECONDS * 1000;
const HOLDS = async () => ok(undefined);
const unused = () => Promise.reject(new Error('not asked for here'));
const credentials = createCredentials({
  ...NO_CONNECTIONS,
  ...NO_TOKEN_ENDPOINT,
  secrets: { read: unused },
  identityKey: { publicKey: unused, sign: unused },
  stage: 'prod',
  now: () => NOW_SECONDS * 1000,
});

/** A call of this caller to this server, with nothing but its credentials of its own. */
function outbound(overrides: Partial<OutboundCall> = {}): OutboundCall {
  return {
    caller,
    target,
    perimeter: undefined,
    method: 'POST',
    url: new URL(target.url),
    headers: new Map(),
    body: undefined,
    origin: ORIGIN,
    callerAuthorization: null,
    signal: new AbortController().signal,
    waitUntil: () => {},
    stillHolds: HOLDS,
    ...overrides,
  };
}

/** The key under which a call of this caller with these headers shares its connection. */
async function isolationKeyOf(callerAuthorization: string | null, traceparent: string): Promise<string> {
  const sent: UpstreamRequest[] = [];
  const send = (request: UpstreamRequest) => {
    sent.push(request);
    return Promise.resolve(
      ok({ status: 200, headers: new Map<string, string>(), body: new Blob([]).stream() }),
    );
  };
  const call = outbound({ headers: new Map([['traceparent', traceparent]]), callerAuthorization });
  await callUpstream({ credentials, upstream: { send }, now, log: () => {} }, call);
  return sent[0]?.isolationKey ?? '';
}

test('two credentials of one caller never share a connection, and two calls with one do', async () => {
  const alice = await isolationKeyOf('Bearer alice', 'trace-1');
  expect(await isolationKeyOf('Bearer alice', 'trace-2')).toBe(alice);
  expect(await isolationKeyOf('Bearer bob', 'trace-1')).not.toBe(alice);
  expect(await isolationKeyOf(null, 'trace-1')).toBe('');
  expect(alice).not.toContain('Bearer');
});

const KEY = 'sk-live-0123456789';

/** What is recorded of a call that had this credential put on, and was answered so: `passes`, or why it was denied. */
async function recordedOf(sent: Awaited<ReturnType<Upstream['send']>>): Promise<string> {
  const api = serverEntry('maps', { egress: { mode: 'service_account', key: 'client', fallback: 'none' } });
  const withSecret = createCredentials({
    ...NO_CONNECTIONS,
    ...NO_TOKEN_ENDPOINT,
    secrets: {
      read: async () => ok({ value: new Secret(`{"type":"bearer","token":"${KEY}"}`), versionId: '1' }),
    },
    identityKey: { publicKey: unused, sign: unused },
    stage: 'prod',
    now: () => NOW_SECONDS * 1000,
  });
  const answer = await callUpstream(
    { credentials: withSecret, upstream: { send: async () => sent }, now, log: () => {} },
    outbound({ target: api, url: new URL(api.url) }),
  );
  return answer.ok ? 'passes' : recordedReason(answer.error);
}

const answeredWith = (headers: Readonly<Record<string, string>>) =>
  recordedOf(ok({ status: 200, headers: new Map(Object.entries(headers)), body: new Blob(['x']).stream() }));

test.for([
  [{}, 'passes'],
  [{ 'transfer-encoding': 'chunked' }, 'passes'],
  [{ 'transfer-encoding': 'Chunked', 'content-encoding': 'Identity' }, 'passes'],
  [{ 'content-type': 'text/html; charset=ISO-8859-1' }, 'passes'],
  [{ 'content-type': 'application/json;charset="UTF-8"' }, 'passes'],
] as const)('an answer with the headers %j: %s', async ([headers, outcome]) => {
  expect(await answeredWith(headers)).toBe(outcome);
});

const UNKNOWN = 'in a way that the gateway does not know';

test.for([
  [{ 'transfer-encoding': 'deflate' }, 'as deflate'],
  [{ 'transfer-encoding': 'gzip, chunked' }, UNKNOWN],
  [{ 'content-encoding': 'GZIP' }, 'as gzip'],
  [{ 'content-encoding': 'identity, br' }, UNKNOWN],
  [{ 'content-encoding': KEY }, UNKNOWN],
  [{ 'transfer-encoding': KEY }, UNKNOWN],
  [{ 'content-type': 'application/json; charset=utf-16le' }, 'as utf-16le'],
  [{ 'content-type': "text/plain; charset='utf-7'" }, 'as utf-7'],
  [{ 'content-type': 'text/plain; charset=' }, UNKNOWN],
  [{ 'content-type': `application/json; charset=${KEY}` }, UNKNOWN],
] as const)(
  'an answer with the headers %j is encoded %s, and no word of it is recorded',
  async ([headers, how]) => {
    expect(await answeredWith(headers)).toBe(`unreachable: the upstream encoded its answer ${how}`);
  },
);

test('what a call failed of is recorded without its credential, wherever that was said', async () => {
  const failure = { reason: 'unreachable', detail: `its certificate names ${KEY}, or ${btoa(KEY)}` } as const;
  expect(await recordedOf(err(failure))).toBe('unreachable: its certificate names [redacted], or [redacted]');
});

test.for([
  ['application/json', true],
  ['text/event-stream; charset=utf-8', true],
  ['application/json; charset=utf-16', false],
  ['text/event-stream; charset=utf-7', false],
] as const)('an answer of a server as %s is MCP: %s', async ([contentType, isMcp]) => {
  const body = new Blob(['{}']).stream();
  const read = await readMcpAnswer({ status: 200, headers: new Map([['content-type', contentType]]), body });
  expect(read !== undefined).toBe(isMcp);
});

describe('a call', () => {
  /** A call whose credentials and answers come one after the other, and when each credential is had. */
  function scripted(
    puts: readonly { readonly hidden: string; readonly afterMs?: number }[],
    answers: readonly (readonly [number, string])[],
    stillHolds: StillHolds = HOLDS,
  ) {
    let [nowMs, puttings, sendings] = [0, 0, 0];
    const answer = callUpstream(
      {
        now: () => nowMs,
        log: () => {},
        credentials: {
          async put() {
            const { hidden = '', afterMs = 0 } = puts[puttings] ?? {};
            puttings += 1;
            nowMs += afterMs;
            return ok({ hidden: [new Secret(hidden)], version: String(puttings) });
          },
        },
        upstream: {
          async send() {
            const [status = 500, text = ''] = answers[sendings] ?? [];
            sendings += 1;
            return ok({ status, headers: new Map<string, string>(), body: new Blob([text]).stream() });
          },
        },
      },
      outbound({ stillHolds }),
    );
    return { answer, sent: () => sendings };
  }

  test('that is sent again hides both credentials that the upstream has seen', async () => {
    const { answer } = scripted(
      [{ hidden: 'first-secret-0001' }, { hidden: 'second-secret-0002' }],
      [
        [401, ''],
        [200, 'first-secret-0001 second-secret-0002'],
      ],
    );
    const answered = await answer;
    if (!answered.ok) throw new Error(answered.error.reason);
    expect(await new Response(answered.value.body).text()).toBe('[redacted] [redacted]');
  });

  test.for([
    [1_499, 1],
    [1_500, 0],
  ] as const)(
    'whose caller may not call any more is sent where its credential took %i ms: %i times',
    async ([afterMs, times]) => {
      const revoked = async () => err({ reason: 'revoked' } as const);
      const call = scripted([{ hidden: 'secret', afterMs }], [[200, '']], revoked);
      expect((await call.answer).ok).toBe(times === 1);
      expect(call.sent()).toBe(times);
    },
  );
});

test.for([
  [401, 'connection_required', 1],
  [200, 'passes', 1],
  [403, 'passes', 1],
] as const)(
  'a call that went without its connection is answered %i: %s',
  async ([status, outcome, sends]) => {
    const lacks = { reason: 'connection_required', url: ORIGIN, displayName: 'A', detail: 'a' } as const;
    let sent = 0;
    const answer = await callUpstream(
      {
        credentials: { put: async () => ok({ hidden: [], version: undefined, lacks }) },
        now,
        log: () => {},
        upstream: {
          async send() {
            sent += 1;
            return ok({ status, headers: new Map<string, string>(), body: new Blob(['x']).stream() });
          },
        },
      },
      outbound({ isPreparation: true }),
    );
    expect([answer.ok ? 'passes' : answer.error.reason, sent]).toEqual([outcome, sends]);
  },
);

describe('a perimeter', () => {
  /** What becomes of a call to `maps.internal.example.com` under a perimeter, and with which networks it was sent. */
  async function callUnder(hosts: readonly string[], networks: readonly string[]) {
    const sent: UpstreamRequest[] = [];
    const answer = await callUpstream(
      {
        credentials: { put: async () => ok({ hidden: [], version: undefined }) },
        now,
        log: () => {},
        upstream: {
          async send(request) {
            sent.push(request);
            return ok({ status: 200, headers: new Map<string, string>(), body: new Blob([]).stream() });
          },
        },
      },
      outbound({ perimeter: { hosts, networks } }),
    );
    return [answer.ok ? answer.value.status : answer.error.reason, sent.map((one) => one.privateNetworks)];
  }

  test('is looked at once more when a call is made', async () => {
    expect(await callUnder(['*.example.com'], [])).toEqual([200, [[]]]);
    expect(await callUnder(['*.example.org'], ['10.0.0.0/8'])).toEqual(['outside_perimeter', []]);
  });

  test('says in which networks the way out may connect to private addresses', async () => {
    expect(await callUnder(['maps.internal.example.com'], ['10.0.0.0/8'])).toEqual([200, [['10.0.0.0/8']]]);
  });
});
