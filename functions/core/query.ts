/**
 * Writes parameters as a query, empty or with its `?`: every character but letters, digits and `-._~` as UTF-8 in upper-case triplets (RFC 3986
 * §2.3). That is what signatures over a query are made of, and `+` is no space to some readers of a form.
 */
export function writeQuery(parameters: Iterable<readonly [name: string, value: string]>): string {
  const pairs = Array.from(parameters, ([name, value]) => `${encode(name)}=${encode(value)}`);
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
