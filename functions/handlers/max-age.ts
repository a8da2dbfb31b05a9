/** How long an answer says that it may be kept, in seconds (RFC 9111 §5.2.2); undefined where it says nothing. */
export function maxAgeOf(cacheControl: string | undefined): number | undefined {
  if (cacheControl === undefined) return undefined;
  if (/(?:^|[ ,])no-(?:store|cache)(?:$|[ ,=])/i.test(cacheControl)) return 0;
  const seconds = /(?:^|[ ,])max-age="?([0-9]{1,9})(?![0-9])/i.exec(cacheControl)?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}
