import { type ChainState, reachOf } from './checkpoint.ts';
import { type Finding, type FindingKind, mayHaveExpired } from './finding.ts';
import { isRecordNumber, type Link, readReference } from './link.ts';
import { Told } from './told.ts';

/** One chain as it was read. `base`: how far it had come before what was read; its earlier records are not looked at. */
export type ReadChain = {
  readonly chain: string;
  readonly links: readonly Link[];
  readonly base: number;
  /** What later checkpoints say of it, oldest first. */
  readonly seals: readonly ChainState[];
};

/** What was found in one chain; numbers of records. */
export type VerifiedChain = {
  readonly findings: readonly Finding[];
  /** Their writes failed, and so what they were to record did not happen. */
  readonly failedWrites: number;
  /** They are there, and their writer never learned it: it had given them up, or ended. */
  readonly unconfirmed: number;
  /** No checkpoint covers them yet. */
  readonly unsealed: number;
};

/** Of very many that are missing one after another, so many are findings of their own. */
const MAX_LISTED = 1_000;

/** Verifies one chain. `sealedBefore`: what is of an earlier instant, and not covered by a checkpoint, was put there later. */
export function verifyChain(
  { chain, links, base, seals }: ReadChain,
  { sealedBefore, nowSeconds }: { readonly sealedBefore: string; readonly nowSeconds: number },
): VerifiedChain {
  const findings: Finding[] = [];
  const find = (kind: FindingKind, seq: number, detail: string, ts?: string) =>
    findings.push({ kind, chain, seq, detail, ...(ts === undefined ? {} : { ts }) });

  const present = new Map<number, Link>();
  for (const link of links.toSorted((a, b) => a.seq - b.seq)) {
    if (!link.isIntact) find('changed', link.seq, 'it does not say what its hash is of', link.ts);
    if (!link.isInPlace) find('moved', link.seq, 'it is not under its own key', link.ts);
    if (!isRecordNumber(link.seq)) find('inserted', link.seq, 'no writer gives this number', link.ts);
    else if (present.has(link.seq)) find('inserted', link.seq, 'there are two of this number', link.ts);
    else present.set(link.seq, link);
  }
  const reached = seals
    .map((seal) => ({ reach: reachOf(seal), expiresAtSeconds: seal.expiresAtSeconds }))
    .toSorted((a, b) => a.reach - b.reach);
  const mayBeGone = (seq: number) => {
    const seal = reached.find(({ reach }) => reach >= seq);
    return seal !== undefined && mayHaveExpired(seal.expiresAtSeconds, nowSeconds);
  };

  const named = new Map<number, Set<string>>();
  const sources = [...[...present.values()].map(({ prev }) => prev), ...seals.map(({ tips }) => tips)];
  for (const reference of sources.flat()) {
    const read = readReference(reference);
    if (read !== undefined) named.set(read[0], (named.get(read[0]) ?? new Set()).add(read[1]));
  }

  const sealed = Math.max(base, reached.at(-1)?.reach ?? base);
  let failedWrites = 0;
  let unconfirmed = 0;
  let unsealed = 0;
  // From the last to the first: what later records say of one is known when it is looked at.
  const told = new Told([...present.values()]);
  let isHoled = false;
  /** Records of which nothing is there and that no later one names. */
  const checkGap = (last: number, first: number) => {
    for (let seq = last; seq >= first; ) {
      const { isGivenUp, downTo } = told.stretch(seq, first);
      if (isGivenUp) failedWrites += seq - downTo + 1;
      else {
        isHoled = true;
        const why = 'no later record tells that its write failed';
        const listed = Math.max(downTo, seq - MAX_LISTED + 1);
        for (let one = seq; one >= listed; one -= 1) if (!mayBeGone(one)) find('removed', one, why);
        const rest = [listed - 1, ...reached.map(({ reach }) => reach)];
        if (rest.some((one) => one >= downTo && one < listed && !mayBeGone(one))) {
          find('removed', listed - 1, `${why}, nor those of the ${listed - 1 - downTo} before it`);
        }
      }
      seq = downTo - 1;
    }
  };

  const known = new Set([...present.keys(), ...named.keys(), sealed]);
  let above: number | undefined;
  for (const seq of [...known].filter((one) => one > base).sort((a, b) => b - a)) {
    if (above !== undefined) checkGap(above - 1, seq + 1);
    above = seq;
    const link = present.get(seq);
    const names = named.get(seq);
    if (link === undefined) {
      if (names === undefined) checkGap(seq, seq);
      else {
        if (!mayBeGone(seq)) find('removed', seq, 'a later one names it');
        isHoled = true;
      }
      continue;
    }
    if (seq > sealed) unsealed += 1;
    if ([...(names ?? [])].some((hash) => hash !== link.hash)) {
      find('changed', seq, 'a later record or a checkpoint names another', link.ts);
    }
    const isGivenUp = told.isFailed(seq) || (names === undefined && told.isGivenUp(seq));
    if (isGivenUp) unconfirmed += 1;
    // What named it may be what is missing, of which is told already.
    const isNamed = names !== undefined || isGivenUp || isHoled;
    if (!isNamed && !told.isEmpty) find('inserted', seq, 'no later record names it', link.ts);
    else if (!isNamed && (seq <= sealed || link.ts < sealedBefore)) {
      find('inserted', seq, 'no checkpoint covers it', link.ts);
    }
    told.add(link);
  }
  if (above !== undefined) checkGap(above - 1, base + 1);
  return { findings, failedWrites, unconfirmed, unsealed };
}
