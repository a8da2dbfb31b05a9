import { createGateway, type GatewayPorts } from '../../functions/handlers/gateway.ts';
import { ORIGIN } from '../support/test-issuer.ts';
import { type Channel, canary } from './canary.ts';
import { judgeAnswer } from './isolation/answer.ts';
import { createAws } from './isolation/aws.ts';
import type { Purpose } from './isolation/choice.ts';
import { current, Exchange } from './isolation/exchange.ts';
import { type Finding, Judge } from './isolation/judge.ts';
import { type Plan, planEgress, planRequest } from './isolation/plan.ts';
import { createPorts } from './isolation/ports.ts';
import { yieldTurns } from './isolation/turns.ts';
import { createUpstream } from './isolation/upstream.ts';
import { World } from './isolation/world.ts';
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

/** What came of a run. */
export type IsolationReport = {
  readonly requests: number;
  readonly callers: number;
  readonly orgs: number;
  readonly upstreamCalls: number;
  readonly auditRecords: number;
  readonly aborted: number;
  readonly disturbed: number;
  /** Requests that nothing was to happen to and that felt somebody else's outage: 503 or no credential. */
  readonly affected: number;
  readonly purposes: ReadonlyMap<Purpose, number>;
  /** Canaries that were looked at. */
  readonly seen: ReadonlyMap<Channel, number>;
  readonly leaks: number;
  readonly faults: number;
  readonly findings: readonly Finding[];
};

/** Sends requests of many callers of many organisations through gateways in one process, all at once, and judges all that leaves them. */
export async function runIsolation(options: IsolationOptions): Promise<IsolationReport> {
  const { requests, seed, orgs = 20, concurrency = 64, stepMs = 2, onProgress } = options;
  const run = new Run(new World(seed, orgs));
  await run.start(options.environments ?? 4, options.spoil ?? {});
  let next = 0;
  const work = async () => {
    while (next < requests) {
      const number = next;
      next += 1;
      run.world.nowMs += stepMs;
      await run.serve(planRequest(run.world, seed, number));
      if (number % 1_000 === 999) onProgress?.(number + 1);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return run.report();
}

/** A request within another has the other's number beyond all others. */
const WITHIN = 1_000_000_000;

/** How many sessions a caller remembers. */
const MAX_SESSIONS = 4;

class Run {
  readonly world: World;
  readonly #judge = new Judge();
  readonly #gateways: GatewayFetch[] = [];
  readonly #purposes = new Map<Purpose, number>();
  readonly #totals = {
    requests: 0,
    upstreamCalls: 0,
    auditRecords: 0,
    aborted: 0,
    disturbed: 0,
    affected: 0,
  };

  constructor(world: World) {
    this.world = world;
  }

  async start(environments: number, spoil: Spoil): Promise<void> {
    const { world } = this;
    const aws = await createAws(world, this.#judge);
    const upstream = createUpstream(this.#judge, async ({ plan }, identityToken) => {
      await this.serve(planEgress(world, plan, WITHIN + plan.number, identityToken));
    });
    for (let count = 0; count < environments; count += 1) {
      const ports = createPorts(world, this.#judge, aws, upstream);
      const app = createGateway(spoil.ports?.(ports) ?? ports);
      const fetch: GatewayFetch = (...request) => app.fetch(...request);
      this.#gateways.push(spoil.fetch?.(fetch) ?? fetch);
    }
  }

  report(): IsolationReport {
    const { leaks, faults, findings, seen } = this.#judge;
    const orgs = new Set(this.world.parties.map(({ org }) => org)).size;
    const callers = this.world.parties.length;
    return { ...this.#totals, callers, orgs, purposes: this.#purposes, seen, leaks, faults, findings };
  }

  /** Sends one request and judges its answer. */
  async serve(plan: Plan): Promise<void> {
    const exchange = new Exchange(plan, this.world);
    await current.run(exchange, async () => {
      const pending: Promise<unknown>[] = [];
      const gone = new AbortController();
      const request = new Request(`${ORIGIN}${plan.path}`, {
        method: plan.method,
        headers: plan.headers,
        body: plan.body ?? null,
        signal: gone.signal,
      });
      if (plan.abort === 'waiting') void yieldTurns(plan.random.below(8)).then(() => gone.abort());
      const gateway = new Random(plan.number, 1).pick(this.#gateways);
      const response = await gateway(request, {
        requestId: canary('requestId', plan.number),
        origin: ORIGIN,
        sourceIp: '127.0.0.1',
        signal: gone.signal,
        waitUntil: (work: Promise<unknown>) => void pending.push(work),
      });
      const answer = await readAnswer(response, plan.abort === 'reading' ? 1 : Number.POSITIVE_INFINITY);
      await Promise.all(pending);
      this.#count(exchange);
      if (judgeAnswer(this.#judge, exchange, response, answer.text) === 'affected')
        this.#totals.affected += 1;
      this.#keepSession(plan, response, answer);
    });
  }

  /** What a client remembers of a session that it was given. */
  #keepSession({ rpc, party, target, number }: Plan, { headers }: Response, { isWhole }: Answer): void {
    const sealed = headers.get('mcp-session-id');
    if (rpc?.method !== 'initialize' || sealed === null || !isWhole) return;
    party.sessions.push({ sealed, serial: number, target });
    if (party.sessions.length > MAX_SESSIONS) party.sessions.shift();
  }

  #count({ plan, upstreamCalls, records }: Exchange): void {
    const totals = this.#totals;
    totals.requests += 1;
    totals.upstreamCalls += upstreamCalls;
    totals.auditRecords += records.length;
    if (plan.abort !== undefined) totals.aborted += 1;
    if (plan.fault !== undefined) totals.disturbed += 1;
    this.#purposes.set(plan.purpose, (this.#purposes.get(plan.purpose) ?? 0) + 1);
  }
}

type Answer = { readonly text: string; readonly isWhole: boolean };

/** Reads an answer up to so many pieces; what came of one that broke off counts too. */
async function readAnswer(response: Response, pieces: number): Promise<Answer> {
  if (response.body === null) return { text: '', isWhole: true };
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (let count = 0; count < pieces; count += 1) {
      const { done, value } = await reader.read();
      if (done) return { text: text + decoder.decode(), isWhole: true };
      text += decoder.decode(value, { stream: true });
    }
    await reader.cancel();
  } catch {
    return { text, isWhole: false };
  }
  return { text, isWhole: false };
}
