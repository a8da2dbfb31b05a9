import type { FoundRecord } from './audit-ports.ts';
import { MAX_CHAIN_AGE_MS } from './chain.ts';
import { type ChainState, type Checkpoint, HEARTBEAT_MS, LATE_MS, reachOf } from './checkpoint.ts';
import type { Finding } from './finding.ts';
import { isRecordNumber, type Link, linkOf, readReference } from './link.ts';
import { unchainedPartitionOf } from './record-key.ts';
import { type ReadChain, type VerifiedChain, verifyChain } from './verify-chain.ts';

/** Before what is verified, checkpoints are needed for so long: no chain is older. */
export const HISTORY_MS = MAX_CHAIN_AGE_MS + 2 * LATE_MS;

/** Where no checkpoint says how far the chains had come, records are read from so much earlier. */
const UNSEALED_BEGIN_MS = 86_400_000;

/** A checkpoint is this late at most: it is due every hour, and made every half hour at least. */
const OVERDUE_MS = HEARTBEAT_MS + 2_100_000;

/** Of an ISO 8601 instant with milliseconds, with which the sort key of a record begins. */
const INSTANT_LENGTH = 24;

/** What was verified, and what is wrong. */
export type Verification = Omit<VerifiedChain, 'findings'> & {
  readonly findings: readonly Finding[];
  readonly records: number;
  readonly chains: number;
  readonly checkpoints: number;
  /** Records that an older version wrote: nothing can be said about them. */
  readonly unchained: number;
  /** Records before this instant are covered by a checkpoint; undefined where there is none. */
  readonly sealedThrough: string | undefined;
  /** Of records before this instant nothing can be said. */
  readonly verifiedFrom: string;
};

/**
 * Verifies the records of one organisation from an instant on, against checkpoints that hold (core/audit/verify-checkpoints), oldest first,
 * from {@link HISTORY_MS} before. Everything from {@link AuditVerifier.readFrom} on has to be added, in any order.
 */
export class AuditVerifier {
  readonly #orgId: string;
  readonly #checkpoints: readonly Checkpoint[];
  readonly #anchor: Checkpoint | undefined;
  readonly #links = new Map<string, Link[]>();
  /** Read records from this instant on (ISO 8601). */
  readonly readFrom: string;
  /** The instant that was asked for, or a later one where no checkpoint is left from before it. */
  readonly verifiedFrom: string;
  readonly #strangers: Finding[] = [];
  #records = 0;
  #unchained = 0;

  constructor(orgId: string, checkpoints: readonly Checkpoint[], since: string) {
    this.#orgId = orgId;
    this.#checkpoints = checkpoints;
    const [oldest] = checkpoints;
    const isBegun = oldest !== undefined && oldest.number > 1;
    this.#anchor = checkpoints.findLast(({ through }) => through <= since) ?? (isBegun ? oldest : undefined);
    const known = this.#anchor?.through ?? since;
    this.verifiedFrom = known > since ? known : since;
    this.readFrom =
      this.#anchor === undefined ? earlier(since, UNSEALED_BEGIN_MS) : earlier(this.#anchor.through, LATE_MS);
  }

  add(found: FoundRecord): void {
    this.#records += 1;
    const link = linkOf(found, this.#orgId);
    if (link === undefined) {
      this.#addUnchained(found);
      return;
    }
    const links = this.#links.get(link.chain);
    if (links === undefined) this.#links.set(link.chain, [link]);
    else links.push(link);
  }

  /** An older version wrote records of no chain, into partitions of their own; elsewhere every record is of one. */
  #addUnchained({ key: { pk, sk } }: FoundRecord): void {
    if (pk === unchainedPartitionOf(this.#orgId, sk.slice(0, 10))) {
      this.#unchained += 1;
      return;
    }
    const detail = 'it is in no chain, and under a key where every record is in one';
    this.#strangers.push({ kind: 'inserted', detail, ts: sk.slice(0, INSTANT_LENGTH) });
  }

  finish(nowMs: number): Verification {
    const newest = this.#checkpoints.at(-1);
    const context = {
      sealedBefore: newest === undefined ? '' : earlier(newest.through, LATE_MS),
      nowSeconds: Math.floor(nowMs / 1000),
    };
    const read = this.#readChains();
    const chains = read.map((chain) => verifyChain(chain, context));
    const sum = (count: (chain: VerifiedChain) => number) =>
      chains.reduce((total, chain) => total + count(chain), 0);
    return {
      findings: [
        ...this.#strangers,
        ...chains.flatMap(({ findings }) => findings),
        ...this.#checkTimes(),
        ...this.#checkSealing(newest, nowMs),
      ],
      records: this.#records,
      chains: read.length,
      checkpoints: this.#checkpoints.length,
      failedWrites: sum(({ failedWrites }) => failedWrites),
      unconfirmed: sum(({ unconfirmed }) => unconfirmed),
      unsealed: sum(({ unsealed }) => unsealed),
      unchained: this.#unchained,
      sealedThrough: newest?.through,
      verifiedFrom: this.verifiedFrom,
    };
  }

  /** Every chain of which there are records, or of which a checkpoint says that there are. */
  #readChains(): readonly ReadChain[] {
    const bases = new Map<string, number>();
    const seals = new Map<string, ChainState[]>();
    for (const { number, chains } of this.#checkpoints) {
      for (const state of chains) {
        if (this.#anchor !== undefined && number <= this.#anchor.number) {
          bases.set(state.chain, Math.max(bases.get(state.chain) ?? 0, reachOf(state)));
        } else seals.set(state.chain, [...(seals.get(state.chain) ?? []), state]);
      }
    }
    return [...new Set([...this.#links.keys(), ...seals.keys()])].map((chain) => {
      const links = this.#links.get(chain) ?? [];
      const ahead = seals.get(chain) ?? [];
      return { chain, links, base: bases.get(chain) ?? this.#unknownBase(links, ahead), seals: ahead };
    });
  }

  /** A chain of which no earlier checkpoint speaks begins here, unless it may have begun before all that is known. */
  #unknownBase(links: readonly Link[], seals: readonly ChainState[]): number {
    const [oldest] = this.#checkpoints;
    if (this.#anchor !== undefined && oldest?.number === 1) return 0;
    const knownFrom = this.#anchor === undefined || oldest === undefined ? this.readFrom : oldest.through;
    const mayBegin = later(knownFrom, HISTORY_MS);
    if (links.length > 0 && links.every(({ ts }) => ts >= mayBegin)) return 0;
    const tips = seals.flatMap((seal) => [
      seal.seq,
      ...seal.tips.map((tip) => Number(readReference(tip)?.[0])),
    ]);
    const known = [...links.map(({ seq }) => seq), ...tips].filter(isRecordNumber);
    return known.reduce((least, seq) => Math.min(least, seq - 1), Number.MAX_SAFE_INTEGER);
  }

  /** Was any checkpoint made later than it was due, as after newer ones were removed? Whoever signs it says when. */
  #checkTimes(): readonly Finding[] {
    return this.#checkpoints.flatMap((checkpoint, index): readonly Finding[] => {
      const { number, signedAtSeconds } = checkpoint;
      const before = this.#checkpoints[index - 1];
      if (before?.number !== number - 1 || number <= (this.#anchor?.number ?? 0)) return [];
      // Of one run with very many chains all but the last cover no more than was covered before.
      if ((signedAtSeconds - before.signedAtSeconds) * 1_000 <= OVERDUE_MS) return [];
      const detail = `the one before covers records before ${before.through}, and this one came late`;
      return [{ kind: 'unsealed', number, detail }];
    });
  }

  #checkSealing(newest: Checkpoint | undefined, nowMs: number): readonly Finding[] {
    const overdue = new Date(nowMs - OVERDUE_MS).toISOString();
    if (newest !== undefined) {
      if (newest.through >= overdue) return [];
      return [
        {
          kind: 'unsealed',
          number: newest.number,
          detail: `it covers records before ${newest.through}, and none came after it`,
        },
      ];
    }
    const isOld = [...this.#links.values()].some((links) => links.some(({ ts }) => ts < overdue));
    return isOld ? [{ kind: 'unsealed', detail: 'there is no checkpoint' }] : [];
  }
}

function earlier(instant: string, ms: number): string {
  return new Date(Date.parse(instant) - ms).toISOString();
}

function later(instant: string, ms: number): string {
  return earlier(instant, -ms);
}
