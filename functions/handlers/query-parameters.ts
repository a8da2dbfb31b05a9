/**
 * The parameters of a query, each once and none but these; undefined where there is another one, or one twice: of two that say different
 * things neither is taken.
 */
export function readParameters(
  query: URLSearchParams,
  names: readonly string[],
): ReadonlyMap<string, string> | undefined {
  const parameters = new Map(query);
  const isKnown = [...parameters.keys()].every((name) => names.includes(name));
  return isKnown && parameters.size === query.size ? parameters : undefined;
}
