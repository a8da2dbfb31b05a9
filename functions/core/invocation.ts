import type { Caller } from './caller.ts';

/**
 * What an invocation tells a handler beside the web `Request`: all of it from API Gateway itself or from configuration.
 * `origin` is the stage variable `origin`, never a request header. `signal` aborts when the client is known to be gone.
 */
export type Invocation = {
  readonly requestId: string;
  readonly origin: string;
  readonly sourceIp: string;
  /** Of the request's one well-formed `traceparent`, for the records; undefined where it has none. */
  readonly traceId?: string;
  readonly signal: AbortSignal;
  /** Keeps the invocation alive until the work is done, without holding back the response. */
  readonly waitUntil: (work: Promise<unknown>) => void;
};

/** What API Gateway tells an authorizer: headers, path and query, never the body. */
export type AuthorizerRequest = {
  readonly requestId: string;
  readonly origin: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  /** Names, in lower case, of the headers that came more than once; `headers` has them joined. */
  readonly repeatedHeaders: readonly string[];
  readonly queryNames: readonly string[];
  /** As of an invocation. */
  readonly traceId?: string;
};

/**
 * The authorizer's answer. `deny` carries the value of `WWW-Authenticate`; `unauthorized` becomes 401 and `unavailable` 503
 * by the gateway responses of the API.
 */
export type AuthorizerVerdict =
  | { readonly verdict: 'allow'; readonly caller: Caller }
  | { readonly verdict: 'deny'; readonly caller: Caller; readonly challenge: string }
  | { readonly verdict: 'unauthorized' }
  | { readonly verdict: 'unavailable' };
