import { createGateway, type GatewayPorts } from '../../functions/handlers/gateway.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';
import { canary } from './canary.ts';
import { judgeRecords } from './isolation/answer.ts';
import { createAws } from './isolation/aws.ts';
import { drawBlueprint } from './isolation/blueprint.ts';
import { Judge } from './isolation/judge.ts';
import { createPorts } from './isolation/ports.ts';
import { type IsolationReport, Run, type Send } from './isolation/run.ts';
import { createUpstream } from './isolation/upstream.ts';
import { type Gate, World } from './isolation/world.ts';
import { Random } from './random.ts';

/** What a run is made of. */
export type IsolationOptions = {
  readonly requests: number;
  readonly seed: number;
  /** Organisations, each with 12 callers; default 20. */
  readonly orgs?: number;
  /** Requests under way at any time; default 64. */
  readonly concurrency?: number;
  /** Execution environments that share the load, each with caches of its own; default 4. */
  readonly environments?: number;
  /** Milliseconds by which the clock moves on with each request; default 2. */
  readonly stepMs?: number;
  readonly onProgress?: (done: number) => void;
  /** Called when every request has been served, while the gateways are still there. */
  readonly onServed?: () => Promise<void>;
  /** For the check of the check: a gateway that was spoilt. */
  readonly spoil?: Spoil;
};

/** Spoils a gateway from within or from without. */
export type Spoil = {
  readonly ports?: (ports: GatewayPorts) => GatewayPorts;
  readonly fetch?: (fetch: GatewayFetch) => GatewayFetch;
};

/** A gateway as its platform sees it. */
export type GatewayFetch = ReturnType<typeof createGateway>['fetch'];

/** Keys are dear to make, and every run may have the same. */
const ISSUER = new TestIssuer();

/** Sends requests of many callers of many organisations through gateways in one process, all at once, and judges all that leaves them. */
export async function runIsolation(options: IsolationOptions): Promise<IsolationReport> {
  const { requests, seed, orgs = 20, environments = 4, spoil = {}, onProgress } = options;
  const time = { nowMs: NOW_SECONDS * 1000 };
  const gate: Gate = {
    origin: ORIGIN,
    isDeployed: false,
    nowMs: () => time.nowMs,
    sign: (claims) => ISSUER.accessToken(claims),
  };
  const world = new World(drawBlueprint(seed, orgs), gate, seed);
  const judge = new Judge();
  const aws = await createAws(world, judge, ISSUER);
  const upstream = createUpstream(judge, (within, identityToken) => run.serveWithin(within, identityToken));
  const gateways = Array.from({ length: environments }, (): GatewayFetch => {
    const ports = createPorts(world, judge, aws, upstream);
    const app = createGateway(spoil.ports?.(ports) ?? ports);
    const fetch: GatewayFetch = (...request) => app.fetch(...request);
    return spoil.fetch?.(fetch) ?? fetch;
  });
  const send: Send = async ({ plan }, request, pending) => {
    const gateway = new Random(plan.number, 1).pick(gateways);
    const requestId = canary('requestId', plan.number);
    const response = await gateway(request, {
      requestId,
      origin: ORIGIN,
      sourceIp: '127.0.0.1',
      signal: request.signal,
      waitUntil: (work: Promise<unknown>) => void pending.push(work),
    });
    const answered = response.headers.get('x-request-id');
    if (answered !== requestId) judge.leak(undefined, `request ${plan.number} got the answer of ${answered}`);
    return response;
  };
  const run = new Run(world, judge, send, (exchange) => judgeRecords(judge, exchange));
  const { concurrency = 64, stepMs = 2 } = options;
  await run.serveAll({
    requests,
    seed,
    concurrency,
    onNext: () => {
      time.nowMs += stepMs;
    },
    onProgress,
  });
  await options.onServed?.();
  return run.report();
}
