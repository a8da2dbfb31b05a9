/** Entries by the names in them, each once under a name and in their order: who looks one up pays for what is found, not for what there is. */
export function indexByNames<T>(
  entries: readonly T[],
  namesOf: (entry: T) => readonly string[],
): ReadonlyMap<string, readonly T[]> {
  const index = new Map<string, T[]>();
  for (const entry of entries) {
    for (const name of new Set(namesOf(entry))) {
      const under = index.get(name);
      if (under === undefined) index.set(name, [entry]);
      else under.push(entry);
    }
  }
  return index;
}
