import type { Channel } from '../canary.ts';
import { judgeAnswer } from './answer.ts';
import type { Purpose } from './choice.ts';
import { current, Exchange } from './exchange.ts';
import type { Finding, Judge } from './judge.ts';
import { type Plan, planEgress, planRequest } from './plan.ts';
import { scopesAt } from './target.ts';
import { yieldTurns } from './turns.ts';
import type { World } from './world.ts';

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

/** Sends a request to a gateway. What `pending` gets is waited for before the request counts as served. */
export type Send = (exchange: Exchange, request: Request, pending: Promise<unknown>[]) => Promise<Response>;

/** How many requests, and how many of them at any time. */
export type Load = {
  readonly requests: number;
  readonly seed: number;
  readonly concurrency: number;
  /** Called before each. */
  readonly onNext?: () => void;
  readonly onProgress?: ((done: number) => void) | undefined;
};

/** A request within another has the other's number beyond all others. */
const WITHIN = 1_000_000_000;
/** How many sessions a caller remembers. */
const MAX_SESSIONS = 4;

/** Callers that send their requests through a gateway, and what came of it. */
export class Run {
  readonly #world: World;
  readonly #judge: Judge;
  readonly #send: Send;
  readonly #onServed: (exchange: Exchange) => void;
  readonly #purposes = new Map<Purpose, number>();
  readonly #totals = {
    requests: 0,
    upstreamCalls: 0,
    auditRecords: 0,
    aborted: 0,
    disturbed: 0,
    affected: 0,
  };

  /** `onServed` is called when a request has its answer and nothing of it is left to be done. */
  constructor(world: World, judge: Judge, send: Send, onServed: (exchange: Exchange) => void) {
    this.#world = world;
    this.#judge = judge;
    this.#send = send;
    this.#onServed = onServed;
  }

  async serveAll({ requests, seed, concurrency, onNext, onProgress }: Load): Promise<void> {
    let next = 0;
    const work = async () => {
      while (next < requests) {
        const number = next;
        next += 1;
        onNext?.();
        await this.#serve(planRequest(this.#world, seed, number));
        if (number % 1_000 === 999) onProgress?.(number + 1);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
  }

  /** The request that a server makes while it serves another one. */
  async serveWithin({ plan }: Exchange, identityToken: string): Promise<void> {
    await this.#serve(planEgress(this.#world, plan, WITHIN + plan.number, identityToken));
  }

  report(): IsolationReport {
    const { leaks, faults, findings, seen } = this.#judge;
    const { parties } = this.#world.blueprint;
    const orgs = new Set(parties.map(({ org }) => org)).size;
    const common = { leaks, faults, findings, seen, orgs, callers: parties.length };
    return { ...this.#totals, ...common, purposes: this.#purposes };
  }

  /** Sends one request and judges its answer. */
  async #serve(plan: Plan): Promise<void> {
    const exchange = new Exchange(plan, this.#world);
    await current.run(exchange, async () => {
      const pending: Promise<unknown>[] = [];
      const gone = new AbortController();
      const request = new Request(`${this.#world.gate.origin}${plan.path}`, {
        method: plan.method,
        headers: plan.headers,
        body: plan.body ?? null,
        signal: gone.signal,
      });
      if (plan.abort === 'waiting') void yieldTurns(plan.random.below(8)).then(() => gone.abort());
      const response = await this.#send(exchange, request, pending).catch((error) => {
        if (plan.abort !== 'waiting') throw error;
      });
      if (response !== undefined) await this.#take(exchange, response);
      await Promise.all(pending);
      this.#count(exchange);
      this.#onServed(exchange);
    });
  }

  async #take(exchange: Exchange, response: Response): Promise<void> {
    const { plan } = exchange;
    const answer = await readAnswer(response, plan.abort === 'reading' ? 1 : Number.POSITIVE_INFINITY);
    exchange.answer = response;
    const judged = judgeAnswer(this.#judge, exchange, response, answer.text);
    if (judged === 'affected') this.#totals.affected += 1;
    if (answer.isWhole) keepSession(plan, response);
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

/** What a client remembers of a session that it was given. */
function keepSession({ rpc, party, token, target, number }: Plan, { headers }: Response): void {
  const sealed = headers.get('mcp-session-id');
  if (rpc?.method !== 'initialize' || sealed === null) return;
  party.sessions.push({ sealed, serial: number, target, scopes: scopesAt(token.scopes, target) });
  if (party.sessions.length > MAX_SESSIONS) party.sessions.shift();
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
