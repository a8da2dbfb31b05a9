import { Agent, request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { ok } from '../../functions/core/result.ts';
import { ORIGIN, TestIssuer } from '../support/test-issuer.ts';
import { canary } from './canary.ts';
import { drawBlueprint } from './isolation/blueprint.ts';
import { CloudRecords } from './isolation/cloud-records.ts';
import { current, Exchange } from './isolation/exchange.ts';
import { Judge } from './isolation/judge.ts';
import { planRequest, traceIdOf } from './isolation/plan.ts';
import { startUpstreamServer } from './isolation/upstream-server.ts';
import { World } from './isolation/world.ts';

const SEED = 1;
const issuer = new TestIssuer();
const gate = { origin: ORIGIN, isDeployed: true, nowMs: Date.now, sign: issuer.accessToken.bind(issuer) };

/** Two requests of two callers of two organisations, answered, and what was noted of them. */
function answerTwo() {
  const world = new World(drawBlueprint(SEED, 2), gate, SEED);
  const judge = new Judge();
  const records = new CloudRecords(judge);
  const exchanges = Array.from(
    { length: 100 },
    (_, number) => new Exchange(planRequest(world, SEED, number), world),
  );
  const first = exchanges.find(({ plan }) => plan.purpose === 'call' && plan.fault === undefined);
  const second = exchanges.find(
    ({ plan }) => plan.purpose === 'call' && plan.party.org !== first?.plan.party.org,
  );
  if (first === undefined || second === undefined) throw new Error('the seed gives no two such requests');
  for (const [exchange, requestId] of [
    [first, 'r-1'],
    [second, 'r-2'],
  ] as const) {
    records.begin(exchange);
    exchange.answer = new Response(null, { headers: { 'x-request-id': requestId } });
    records.answered(exchange, exchange.answer);
  }
  return { judge, records, first, second };
}

function recordOf({ plan }: Exchange, requestId: string, changed: object = {}): string {
  const { party, token, target, number } = plan;
  const record = {
    request_id: requestId,
    trace_id: traceIdOf(number),
    event: 'decision',
    decision: 'allow',
    area: 'access',
    org_id: party.orgId,
    client_id: party.clientId,
    subject: party.subject,
    jti: canary('token', token.serial),
    server: target.name,
    ...changed,
  };
  return `${JSON.stringify(record)}\n`;
}

type Two = ReturnType<typeof answerTwo>;

describe('the records of a cloud', () => {
  test('of each request for itself are in order', () => {
    const { judge, records, first, second } = answerTwo();
    records.judgeAudit(recordOf(first, 'r-1') + recordOf(second, 'r-2'));
    records.judgeLog('{"event":"denied","request_id":"r-1"}\nready\n');
    expect(judge.findings).toEqual([]);
    expect(records.count).toBe(2);
  });

  test.for<readonly [string, (two: Two) => string]>([
    [
      "another's organisation",
      ({ first, second }) => recordOf(first, 'r-1', { org_id: second.plan.party.orgId }),
    ],
    [
      "another's subject",
      ({ first, second }) => recordOf(first, 'r-1', { subject: second.plan.party.subject }),
    ],
    [
      "another's token",
      ({ first, second }) => recordOf(first, 'r-1', { jti: canary('token', second.plan.token.serial) }),
    ],
    [
      "another's trace",
      ({ first, second }) => recordOf(first, 'r-1', { trace_id: traceIdOf(second.plan.number) }),
    ],
    ["another's request id", ({ first }) => recordOf(first, 'r-2')],
    ['arguments', ({ first }) => recordOf(first, 'r-1', { reason: canary('argument', first.plan.number) })],
    ['no trace', ({ first }) => recordOf(first, 'r-1', { trace_id: undefined })],
  ])('with %s are a leak', ([, recordIn]) => {
    const two = answerTwo();
    two.records.judgeAudit(recordIn(two));
    expect(two.judge.leaks).toBeGreaterThan(0);
  });

  test('that say of a call that went out only how it ended are a fault', () => {
    const { judge, records, first } = answerTwo();
    first.upstreamCalls = 1;
    expect(records.isComplete('')).toBe(false);
    const outcome = recordOf(first, 'r-1', { event: 'outcome' });
    expect(records.isComplete(outcome)).toBe(true);
    records.judgeAudit(outcome);
    expect(judge.faults).toBeGreaterThan(0);
  });

  test.for<readonly [string, (two: Two) => string]>([
    ["another's secret", () => `{"request_id":"r-1","detail":"${canary('secret', 7)}"}`],
    [
      'its own arguments',
      ({ first }) => `{"request_id":"r-1","detail":"${canary('argument', first.plan.number)}"}`,
    ],
    ["another's client", ({ second }) => `{"request_id":"r-1","detail":"${second.plan.party.clientId}"}`],
    ['a client and no request', ({ first }) => `started for ${first.plan.party.clientId}`],
    ['a token', ({ first }) => `{"request_id":"r-1","detail":"${first.plan.token.compact}"}`],
  ])('a log line with %s is a leak', ([, lineIn]) => {
    const two = answerTwo();
    two.records.judgeLog(lineIn(two));
    expect(two.judge.leaks).toBeGreaterThan(0);
  });

  test('an answer under the id of another is a leak', () => {
    const { judge, records, first } = answerTwo();
    records.answered(first, new Response(null, { headers: { 'x-request-id': 'r-2' } }));
    expect(judge.leaks).toBe(1);
  });
});

test('a connection that serves two callers is a leak', async () => {
  const { judge, records, first, second } = answerTwo();
  const server = await startUpstreamServer(
    {
      async send({ isolationKey }) {
        const exchange = current.getStore();
        if (exchange !== undefined) judge.inspectIsolation(isolationKey, exchange);
        return ok({ status: 200, headers: new Map(), body: new Blob([]).stream() });
      },
    },
    (traceparent) => records.findByTrace(traceparent),
    () => {},
  );
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (const { plan } of [first, second]) {
    await new Promise((resolve) => {
      const headers = { traceparent: `00-${traceIdOf(plan.number)}-00000000000000aa-01` };
      const sent = request(server.origin, { agent, headers }, (answer) =>
        answer.resume().once('close', resolve),
      );
      sent.once('error', resolve).end();
    });
  }
  agent.destroy();
  await server.close();
  expect(judge.findings.map(({ what }) => what)).toEqual([
    expect.stringMatching(/^connections of .* are shared/),
  ]);
});
