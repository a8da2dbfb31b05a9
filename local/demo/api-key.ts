import { createHash } from 'node:crypto';

/** API keys and the accounts that they open: key → account. */
export type ApiKeys = ReadonlyMap<string, string>;

/**
 * Returns the account that a key opens. Keys are compared by digest, so the time says nothing about how much of a
 * guess was right.
 */
export function createKeyring(keys: ApiKeys): (key: string | undefined) => string | undefined {
  const accounts = new Map(Array.from(keys, ([key, account]) => [digest(key), account]));
  return (key) => (key === undefined ? undefined : accounts.get(digest(key)));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

/** A number in [0, 1) that is the same for the same words: what the demo servers take for data. */
export function numberFrom(...words: readonly (string | number)[]): number {
  return createHash('sha256').update(words.join('\0')).digest().readUInt32BE() / 2 ** 32;
}
