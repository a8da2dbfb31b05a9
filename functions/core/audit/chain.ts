import { createHash } from 'node:crypto';
import type { AuditRecord } from '../audit.ts';
import { writeRanges } from './number-ranges.ts';

/** What a member of a stored record can be. */
export type RecordValue = string | number | readonly string[];

/**
 * What ties a record to those of its chain. `seq` counts from 1. `prev` names, as `seq:hash`, every record that was durable when this
 * one was made and that no durable record named before. `pending` and `failed` are the numbers, in ranges, of those whose fate was not
 * known then, and of those whose write failed and that no durable record has told of. After `expires_at` (epoch seconds) it may be gone.
 */
export type ChainLink = {
  readonly chain: string;
  readonly seq: number;
  readonly prev: readonly string[];
  readonly pending?: string;
  readonly failed?: string;
  readonly expires_at: number;
};

/** A record as it is stored. `hash` is {@link hashOf} all its other members. */
export type ChainedRecord = AuditRecord & ChainLink & { readonly hash: string };

/** Until it is this old a chain goes on; then its writer begins another. A reader looks for the begin of one no further back. */
export const MAX_CHAIN_AGE_MS = 6 * 3_600_000;

/** The hash of a record: SHA-256, in base64url, over its members but `hash`, by name. */
export function hashOf(record: Readonly<Record<string, RecordValue | undefined>>): string {
  const members = Object.entries(record)
    .filter(([name, value]) => name !== 'hash' && value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(`sallyport/audit/v1\n${JSON.stringify(members)}`)
    .digest('base64url');
}

/** One that was begun: what it names and tells of, which need not be said again once it is durable. */
type Begun = { readonly hash: string; readonly named: readonly number[]; readonly told: readonly number[] };

/**
 * The head of a hash chain: the records that one writer makes for one organisation. Writes may overlap, fail, and end in any order, and
 * none waits for another: whoever reads the chain can tell for every number whether its record must be there.
 */
export class AuditChain {
  readonly #id: string;
  readonly #startedAtMs: number;
  readonly #tips = new Map<number, string>();
  readonly #begun = new Map<number, Begun>();
  readonly #failed = new Set<number>();
  #seq = 0;

  /** `id` is random: no two chains have the same one. */
  constructor(id: string, startedAtMs: number) {
    this.#id = id;
    this.#startedAtMs = startedAtMs;
  }

  /** Has it gone on for as long as a chain may? */
  isOver(nowMs: number): boolean {
    return nowMs - this.#startedAtMs > MAX_CHAIN_AGE_MS;
  }

  /** The next record of the chain. Whoever begins one also settles it. */
  begin(record: AuditRecord, expiresAtSeconds: number): ChainedRecord {
    this.#seq += 1;
    const told = [...this.#failed];
    const linked = {
      ...wellFormed(record),
      chain: this.#id,
      seq: this.#seq,
      prev: Array.from(this.#tips, ([seq, hash]) => `${seq}:${hash}`),
      ...(this.#begun.size === 0 ? {} : { pending: writeRanges(this.#begun.keys()) }),
      ...(told.length === 0 ? {} : { failed: writeRanges(told) }),
      expires_at: expiresAtSeconds,
    };
    const hash = hashOf(linked);
    this.#begun.set(this.#seq, { hash, named: [...this.#tips.keys()], told });
    return { ...linked, hash };
  }

  /** The write of a record has ended. One that is not durable may still arrive: nothing ever names it. */
  settle(seq: number, isDurable: boolean): void {
    const begun = this.#begun.get(seq);
    if (begun === undefined) return;
    this.#begun.delete(seq);
    if (!isDurable) {
      this.#failed.add(seq);
      return;
    }
    for (const named of begun.named) this.#tips.delete(named);
    for (const told of begun.told) this.#failed.delete(told);
    this.#tips.set(seq, begun.hash);
  }
}

/** Without absent members, and in strings that every store and reader writes the same way. */
function wellFormed(record: AuditRecord): AuditRecord {
  const members = Object.entries(record).flatMap(([name, value]): [string, RecordValue][] => {
    if (value === undefined) return [];
    if (typeof value === 'string') return [[name, value.toWellFormed()]];
    return [[name, typeof value === 'number' ? value : value.map((item) => item.toWellFormed())]];
  });
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: the same members, of the same types
  return Object.fromEntries(members) as AuditRecord;
}
