import type { Invocation } from '../../functions/core/invocation.ts';
import { ORIGIN } from './test-issuer.ts';

/** A request's circumstances as the function's runtime would tell them; its client stays, and what it leaves behind is not waited for. */
export function invocationOf(overrides: Partial<Invocation> = {}): Invocation {
  return {
    requestId: 'r-1',
    origin: ORIGIN,
    sourceIp: '192.0.2.1',
    signal: new AbortController().signal,
    waitUntil: () => {},
    ...overrides,
  };
}
