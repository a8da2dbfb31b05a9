import { compare, type Disagreement } from './compare.ts';
import { mapping, parsePlain } from './plain.ts';
import type { Production } from './production.ts';
import { writePlain } from './text.ts';
import { LISTS } from './worlds.ts';

/** A smaller configuration about which the two still do not agree: no member and no element can be left out of it. */
export function shrink(production: Production, found: Disagreement): Disagreement {
  let smallest = found;
  for (;;) {
    const smaller = smallerOf(production, smallest);
    if (smaller === undefined) return smallest;
    smallest = smaller;
  }
}

function smallerOf(production: Production, found: Disagreement): Disagreement | undefined {
  for (const files of candidates(found.files)) {
    const again = tryIt(production, { ...found, files });
    if (again !== undefined) return again;
  }
  return undefined;
}

function tryIt(production: Production, found: Disagreement): Disagreement | undefined {
  const { claims, ask, nowSeconds, files, expected, actual } = found;
  const isList = expected === 'listed' || expected === 'hidden';
  const world = {
    files: new Map(Object.entries(files)),
    callers: [claims],
    asks: isList || ask.message === '' ? [] : [ask],
    lists: isList ? LISTS : [],
    momentsSeconds: [nowSeconds],
  };
  try {
    const { disagreements } = compare(production, world, found);
    return disagreements.find(
      (one) => one.expected === expected && one.actual === actual && one.ask.message === ask.message,
    );
  } catch {
    return undefined;
  }
}

function* without(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    for (const [index, one] of value.entries()) {
      yield value.toSpliced(index, 1);
      for (const smaller of without(one)) yield value.with(index, smaller);
    }
    return;
  }
  const members = mapping(value);
  for (const [name, one] of Object.entries(members ?? {})) {
    const { [name]: _left, ...rest } = members ?? {};
    yield rest;
    for (const smaller of without(one)) yield { ...members, [name]: smaller };
  }
}

function* candidates(files: Disagreement['files']): Generator<Disagreement['files']> {
  for (const [name, text] of Object.entries(files)) {
    for (const value of without(parsePlain(text))) yield { ...files, [name]: writePlain(value) };
  }
}
