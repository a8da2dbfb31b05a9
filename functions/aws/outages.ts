import { AsyncLocalStorage } from 'node:async_hooks';
import type { AuthorizerRequest, AuthorizerVerdict, Invocation } from '../core/invocation.ts';
import type { FetchApp } from './lambda.ts';

type Entry = Readonly<Record<string, unknown>>;

/** What one request has seen so far: what its dependencies said, and whether an error of it is in the log. */
type Seen = { readonly failures: Failure[]; isTold: boolean };

type Failure = { readonly reason: string; readonly detail: string };

/** An outage, or a secret that cannot be had; what else a port refuses is an answer. */
const FAILURES: ReadonlySet<unknown> = new Set(['unavailable', 'denied', 'missing']);

/**
 * Sees to it that a request which is answered with 503 has one line of level `error` in the log, with its id, and that the line says which
 * dependency failed and how. What a handler says itself stands for it; where none did, the line is `unavailable`, with what the watched
 * dependencies said. What is said belongs to the request that asked, however many there are at once.
 */
export type Outages = {
  /** The same port; a failure that it gives back is noted. */
  watch<T extends object>(port: T): T;
  /** Writes to the log, and takes notice of errors. */
  log(entry: Entry): void;
  around(app: FetchApp): FetchApp;
  aroundAuthorizer(
    authorize: (request: AuthorizerRequest) => Promise<AuthorizerVerdict>,
  ): (request: AuthorizerRequest) => Promise<AuthorizerVerdict>;
};

/** Over the function's own log. */
export function createOutages(log: (entry: Entry) => void): Outages {
  const current = new AsyncLocalStorage<Seen>();

  const note = (result: unknown): void => {
    const failure = failureOf(result);
    if (failure !== undefined) current.getStore()?.failures.push(failure);
  };
  const noted = <R>(result: R): R => {
    if (result instanceof Promise) result.then(note, () => {});
    return result;
  };

  const during = async <T>(
    requestId: string,
    work: () => T | Promise<T>,
    isOutage: (answer: T) => boolean,
  ): Promise<T> => {
    const seen: Seen = { failures: [], isTold: false };
    const answer = await current.run(seen, async () => work());
    if (isOutage(answer) && !seen.isTold) {
      log({ level: 'error', event: 'unavailable', request_id: requestId, detail: detailOf(seen.failures) });
    }
    return answer;
  };

  return {
    watch: (port) =>
      new Proxy(port, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name, target);
          if (typeof member !== 'function') return member;
          return (...args: unknown[]) => noted(Reflect.apply(member, target, args));
        },
        apply: (target, thisArgument, args) =>
          noted(typeof target === 'function' ? Reflect.apply(target, thisArgument, args) : undefined),
      }),

    log(entry) {
      const seen = current.getStore();
      if (seen !== undefined && entry['level'] === 'error') seen.isTold = true;
      log(entry);
    },

    around: (app) => ({
      fetch: (request: Request, invocation: Invocation) =>
        during(
          invocation.requestId,
          () => app.fetch(request, invocation),
          ({ status }) => status === 503,
        ),
    }),

    aroundAuthorizer: (authorize) => (request) =>
      during(
        request.requestId,
        () => authorize(request),
        ({ verdict }) => verdict === 'unavailable',
      ),
  };
}

/** What an outage said comes before what is only not there: that a secret has no previous version is the ordinary case. */
function detailOf(failures: readonly Failure[]): string {
  const outages = failures.filter(({ reason }) => reason !== 'missing');
  const told = outages.length > 0 ? outages : failures;
  const details = new Set(told.map(({ detail }) => detail));
  return details.size === 0
    ? 'no dependency failed here: what was stored or answered cannot be used'
    : [...details].join('; ');
}

function failureOf(result: unknown): Failure | undefined {
  const error = memberOf(result, 'error');
  const reason = memberOf(error, 'reason');
  const detail = memberOf(error, 'detail');
  if (!FAILURES.has(reason) || typeof reason !== 'string' || typeof detail !== 'string') return undefined;
  return { reason, detail };
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
