import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BearerProxy, startBearerProxy } from '../support/bearer-proxy.ts';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';
import type { WebListener } from '../support/web-listener.ts';
import { findDifferences } from './difference.ts';
import { startFixtureServer } from './fixture-server.ts';
import { startReferenceServer } from './reference-server.ts';
import { passes, runSuite } from './suite.ts';

const CLIENT = 'conformance';

let proxy: BearerProxy;
let fixture: WebListener;
let reference: Awaited<ReturnType<typeof startReferenceServer>>;
let cloud: Sallyport;

beforeAll(async () => {
  [proxy, fixture, reference] = await Promise.all([
    startBearerProxy(),
    startFixtureServer(),
    startReferenceServer(),
  ]);
  const behind = (port: number) => ({ url: `http://127.0.0.1:${port}/mcp`, private: true });
  const client = {
    grants: ['client_credentials'],
    scopes: ['all/everything'],
    audience: 'gateway',
    token_ttl: 900,
    secret: { ref: `sallyport/{stage}/clients/${CLIENT}` },
  };
  cloud = await startSallyport({
    clients: [CLIENT],
    allowedOrigins: [`http://localhost:${proxy.port}`],
    config: {
      'scopes.yml': JSON.stringify({ 'all/everything': [{ server: '*', methods: ['all'], tools: ['all'] }] }),
      'servers.yml': JSON.stringify({
        servers: {
          fixture: { ...behind(fixture.port), get_stream: true },
          reference: { ...behind(reference.port), get_stream: true },
        },
      }),
      'clients.yml': JSON.stringify({ clients: { [CLIENT]: client } }),
    },
  });
  proxy.sendTo({ origin: cloud.origin, token: await cloud.token(CLIENT) });
});
afterAll(async () => {
  await proxy?.close();
  await cloud?.close();
  await fixture?.close();
  await reference?.close();
});

/** A run of the suite, and how many scenarios a server passes directly: enough that sameness says something. */
type Run = {
  readonly selection: string;
  readonly passed: number;
  /** Rows that differ, and shall: where the gateway refuses what the server behind lets in (contract of the transport). */
  readonly stricter: readonly string[];
};

/** All that is scored, and three that are not; tasks are an extension that the SDK does not offer. */
const FIXTURE_RUNS: readonly Run[] = [
  { selection: '--requirements 2026-07-28', passed: 40, stricter: [] },
  { selection: '--requirements 2025-11-25', passed: 33, stricter: [] },
  { selection: '--suite active', passed: 31, stricter: [] },
];

const REBINDING = 'dns-rebinding-protection | localhost-host-rebinding-rejected DNSRebindingRejected';
/** It knows nothing of the modern revision, nor of rebinding, and has tools of its own in place of most that the suite asks for. */
const REFERENCE_RUNS: readonly Run[] = [
  {
    selection: '--requirements 2026-07-28',
    passed: 1,
    stricter: [
      // The answers that the gateway itself gives carry the id of the request; those two are the server's.
      'server-stateless | sep-2575-http-server-error-jsonrpc-id HttpServerErrorJsonrpcId | FAILURE FAILURE FAILURE FAILURE FAILURE | FAILURE FAILURE',
      'server-stateless | sep-2575-request-meta-invalid-missing-meta RequestMetaInvalid | FAILURE | SUCCESS',
      'server-stateless | sep-2575-request-meta-invalid-missing-protocol-version RequestMetaInvalid | FAILURE | SUCCESS',
      'server-stateless | sep-2575-http-server-header-mismatch-400 HttpServerHeaderMismatch400 | FAILURE | SUCCESS',
      'tasks-request-headers | tasks-headers-reject-mismatched-method TasksHeadersRejectMismatchedMethod | FAILURE | SUCCESS',
    ],
  },
  { selection: '--requirements 2025-11-25', passed: 11, stricter: [`${REBINDING} | FAILURE | SUCCESS`] },
  { selection: '--suite active', passed: 11, stricter: [`${REBINDING} | FAILURE | SUCCESS`] },
];

const TIMEOUT_MS = 120_000;

test.for(FIXTURE_RUNS)(
  'a server of both eras gives the same results through Sallyport: $selection',
  { timeout: TIMEOUT_MS },
  (run, { signal }) => compare('fixture', fixture.port, run, signal),
);

test.for(REFERENCE_RUNS)(
  'the reference server gives the same results through Sallyport: $selection',
  { timeout: TIMEOUT_MS },
  (run, { signal }) => compare('reference', reference.port, run, signal),
);

async function compare(name: string, port: number, run: Run, signal: AbortSignal): Promise<void> {
  const options = run.selection.split(' ');
  const direct = await runSuite(`http://localhost:${port}/mcp`, options, signal);
  const through = await runSuite(`http://localhost:${proxy.port}/${name}/mcp`, options, signal);
  expect(findDifferences(direct, through), 'scenario | check | direct | through').toEqual(run.stricter);
  expect([...direct.values()].filter(passes)).toHaveLength(run.passed);
}
