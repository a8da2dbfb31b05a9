/** Renamed to `x-amzn-Remapped-…` when a function answers with them: API Gateway's own to set, and not configurable. */
const REMAPPED: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-length',
  'content-md5',
  'date',
  'max-forwards',
  'server',
  'user-agent',
  'www-authenticate',
  'x-amz-apigw-id',
  'x-amzn-requestid',
]);

/** Taken off altogether. */
const DROPPED: ReadonlySet<string> = new Set([
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The headers that leave for the client, of those that a function answered with. */
export function toClientHeaders(
  headers: ReadonlyMap<string, readonly string[]>,
): Map<string, readonly string[]> {
  const kept = new Map<string, readonly string[]>();
  for (const [name, values] of headers) {
    const key = name.toLowerCase();
    if (REMAPPED.has(key)) kept.set(`x-amzn-Remapped-${name}`, values);
    else if (!DROPPED.has(key)) kept.set(name, values);
  }
  return kept;
}
