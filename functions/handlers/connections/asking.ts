import type { ConnectionOwner } from '../../core/connection.ts';
import type { Provider } from '../../core/provider.ts';
import type { CallFailure } from '../json-call.ts';

/**
 * Whom a provider is asked for, and until when, in milliseconds of the ports' clock: of several questions each gets what those before it
 * have left.
 */
export type Asking = {
  readonly provider: Provider;
  readonly owner: ConnectionOwner;
  readonly untilMs: number;
};

/** With less time than this nobody is asked: what a provider gives and nobody waits for is lost. */
export const LEAST_MS = 3_000;

/** Why nobody is asked where too little time is left. */
export const OUT_OF_TIME: CallFailure = { detail: 'what was asked before has left no time', isOutage: true };
