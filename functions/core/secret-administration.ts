import type { Unavailable } from './ports.ts';
import type { Result } from './result.ts';
import type { Secret } from './secret.ts';

/** What is known of a secret to whoever may replace it: everything but its value. Times are epoch seconds. */
export type SecretDescription = {
  readonly name: string;
  readonly createdAtSeconds: number | undefined;
  readonly changedAtSeconds: number | undefined;
  /** When it was scheduled for deletion; undefined: it is not. */
  readonly deletedAtSeconds: number | undefined;
  /** Its versions that have a stage. */
  readonly versions: readonly { readonly id: string; readonly stages: readonly string[] }[];
};

/** A page of descriptions. `next` asks for those after it; undefined: there are no more. */
export type SecretPage = {
  readonly secrets: readonly SecretDescription[];
  readonly next: string | undefined;
};

/**
 * Why nothing was written. `missing`: there is no such secret; `deleted`: it is scheduled for deletion; `not_staged`: no version waits to
 * become the current one; `conflict`: somebody else writes it at the same time; `bad_cursor`: it goes on after nothing.
 */
export type SecretRefusal = {
  readonly reason: 'missing' | 'deleted' | 'not_staged' | 'conflict' | 'bad_cursor';
};

/** What an administrator does to secrets, by full name. It can read no value, and what it writes is durable when it resolves to ok. */
export type SecretAdministration = {
  /** A new version that is current from now on; the one before stays as the previous one. Creates what is not there. */
  put(name: string, value: Secret): Promise<Result<Written, Unavailable | SecretRefusal>>;
  /** A new version that waits (AWSPENDING); another that waited is forgotten. */
  stage(name: string, value: Secret): Promise<Result<Written, Unavailable | SecretRefusal>>;
  /** Makes the version that waits the current one; ok too where that was done before and only the end of its waiting is left. */
  promote(name: string): Promise<Result<Written, Unavailable | SecretRefusal>>;
  /** Readable by nobody from now on, and restorable for some days. */
  delete(name: string): Promise<Result<void, Unavailable | SecretRefusal>>;
  restore(name: string): Promise<Result<void, Unavailable | SecretRefusal>>;
  /** Those whose names begin so, deleted ones too. `after` is a `next` of the same list. */
  list(prefix: string, after?: string): Promise<Result<SecretPage, Unavailable | SecretRefusal>>;
};

/** Which version was written, and whether the secret was made with it. */
export type Written = {
  readonly versionId: string;
  readonly isNew: boolean;
  /** It is the current one, and could not be taken away from those that wait; absent: nothing is left to do. */
  readonly stillWaits?: boolean;
};
