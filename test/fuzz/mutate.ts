import type { Random } from './random.ts';

/** A text as bytes, one character for each: what is mutated below the level of characters, and written in a file of vectors. */
export function toBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The bytes that {@link toBytes} stands for. */
export function bytesOf(input: string): Uint8Array {
  return Buffer.from(input, 'latin1');
}

/** Damages a text in one to three places: pieces are put in, taken out, repeated, moved and replaced. */
export function mutate(random: Random, text: string, pieces: readonly string[]): string {
  let mutated = text;
  for (let left = 1 + random.below(3); left > 0; left -= 1) mutated = mutateOnce(random, mutated, pieces);
  return mutated;
}

function mutateOnce(random: Random, text: string, pieces: readonly string[]): string {
  const at = random.below(text.length + 1);
  const end = Math.min(text.length, at + 1 + random.below(random.chance(80) ? 4 : 40));
  const [before, part, after] = [text.slice(0, at), text.slice(at, end), text.slice(end)];
  switch (random.below(6)) {
    case 0:
      return before + after;
    case 1:
      return before + random.pick(pieces) + part + after;
    case 2:
      return before + random.pick(pieces) + after;
    case 3:
      return before + part + part + after;
    case 4: {
      const to = random.below(after.length + 1);
      return before + after.slice(0, to) + part + after.slice(to);
    }
    default:
      return before + String.fromCharCode(random.below(256)) + after;
  }
}

/** Shorter texts: without a half, a quarter and so on, down to single characters. */
export function* shorterTexts(text: string): Iterable<string> {
  for (let size = Math.ceil(text.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < text.length; at += size) yield text.slice(0, at) + text.slice(at + size);
  }
}

/** Shorter lists: without some items, then with one of them smaller. */
export function* shorterLists<T>(list: readonly T[], smaller: (item: T) => Iterable<T>): Iterable<T[]> {
  for (let size = Math.ceil(list.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < list.length; at += size) yield list.toSpliced(at, size);
  }
  for (const [at, item] of list.entries()) for (const less of smaller(item)) yield list.with(at, less);
}

/** Smaller records: one member smaller at a time. */
export function* smallerMember<T, Name extends keyof T>(
  record: T,
  name: Name,
  values: Iterable<T[Name]>,
): Iterable<T> {
  for (const value of values) yield { ...record, [name]: value };
}
