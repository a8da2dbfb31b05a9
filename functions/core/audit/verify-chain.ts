import type { ChainState } from './checkpoint.ts';
import { EXPIRY_SLACK_SECONDS, type Finding, type FindingKind } from './finding.ts';
import type { Link } from './link.ts';
import { isInRanges } from './number-ranges.ts';

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
    if (present.has(link.seq)) find('inserted', link.seq, 'there are two of this number', link.ts);
    else present.set(link.seq, link);
  }
  const mayBeGone = (seq: number) => {
    const seal = seals.find((one) => one.seq >= seq);
    return seal !== undefined && seal.expiresAtSeconds <= nowSeconds + EXPIRY_SLACK_SECONDS;
  };

  const named = new Map<number, Set<string>>();
  const sources = [...[...present.values()].map(({ prev }) => prev), ...seals.map(({ tips }) => tips)];
  for (const reference of sources.flat()) {
    const colon = reference.indexOf(':');
    const seq = Number(reference.slice(0, colon));
    named.set(seq, (named.get(seq) ?? new Set()).add(reference.slice(colon + 1)));
  }

  const sealed = seals.at(-1)?.seq ?? base;
  let last = sealed;
  for (const seq of present.keys()) last = Math.max(last, seq);
  let failedWrites = 0;
  let unconfirmed = 0;
  let unsealed = 0;
  // From the last to the first: what later records say of one is known when it is looked at.
  const told = new Later();
  let isHoled = false;
  for (let seq = last; seq > base; seq -= 1) {
    const link = present.get(seq);
    const names = named.get(seq);
    if (link === undefined) {
      if (names === undefined && told.isGivenUp(seq)) {
        failedWrites += 1;
        continue;
      }
      const why =
        names === undefined ? 'no later record tells that its write failed' : 'a later one names it';
      if (!mayBeGone(seq)) find('removed', seq, why);
      isHoled = true;
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
  return { findings, failedWrites, unconfirmed, unsealed };
}

/** What the records after a number tell of those before. */
class Later {
  readonly #links: Link[] = [];

  get isEmpty(): boolean {
    return this.#links.length === 0;
  }

  add(link: Link): void {
    this.#links.push(link);
  }

  /** Does one of them tell that its write failed? */
  isFailed(seq: number): boolean {
    return this.#links.some(({ failed }) => isInRanges(failed, seq));
  }

  /** Does one of them tell that, or did all of them begin before its fate was known? */
  isGivenUp(seq: number): boolean {
    if (this.isFailed(seq)) return true;
    return !this.isEmpty && this.#links.every(({ pending }) => isInRanges(pending, seq));
  }
}
