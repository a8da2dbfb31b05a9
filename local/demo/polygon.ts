import { type ApiKeys, createKeyring, numberFrom } from './api-key.ts';
import { type LoopbackServer, serveOnLoopback } from './loopback.ts';

/** `port` 0 takes a free one. `keys` are all that it accepts: key → account. */
export type PolygonOptions = { readonly port: number; readonly keys: ApiKeys };

type Bar = { t: number; o: number; h: number; l: number; c: number; v: number; vw: number; n: number };

const AGGREGATES = /^\/v2\/aggs\/ticker\/([^/]+)\/range\/([^/]+)\/([^/]+)\/([^/]+)\/([^/]+)$/;
const DAY_MS = 86_400_000;
const TIMESPAN_MS: ReadonlyMap<string, number> = new Map([
  ['minute', 60_000],
  ['hour', 3_600_000],
  ['day', DAY_MS],
  ['week', 7 * DAY_MS],
  ['month', 30 * DAY_MS],
  ['quarter', 91 * DAY_MS],
  ['year', 365 * DAY_MS],
]);
const MAX_BARS = 50_000;

/**
 * Starts an API in the shape of Polygon's aggregates: `GET /v2/aggs/ticker/{ticker}/range/{multiplier}/{timespan}/{from}/{to}`.
 * The key comes as `Authorization: Bearer` or `apiKey`. The answer names the account of the key, and its prices are made
 * from account and ticker, so that a caller sees whose data it got.
 */
export function startPolygon({ port, keys }: PolygonOptions): Promise<LoopbackServer> {
  const accountOf = createKeyring(keys);
  return serveOnLoopback(port, (request) => {
    const url = new URL(request.url);
    const bearer = /^Bearer (\S+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
    const account = accountOf(bearer ?? url.searchParams.get('apiKey') ?? undefined);
    if (account === undefined) return refusal(401, 'Unknown API Key');
    const match = AGGREGATES.exec(url.pathname);
    if (match === null || request.method !== 'GET') return refusal(404, 'Not Found');
    return answerAggregates(account, match.slice(1).map(decodeURIComponent), url.searchParams);
  });
}

function answerAggregates(account: string, path: readonly string[], query: URLSearchParams): Response {
  const [ticker = '', multiplier, timespan = '', from = '', to = ''] = path;
  const stepMs = Number(multiplier) * (TIMESPAN_MS.get(timespan) ?? Number.NaN);
  const [fromMs, toMs] = [toMilliseconds(from), toMilliseconds(to)];
  const limit = Number(query.get('limit') ?? 5000);
  if (!(stepMs > 0 && fromMs <= toMs && limit >= 1 && limit <= MAX_BARS)) {
    return refusal(400, 'the parameters of the range are not valid');
  }
  const isAdjusted = query.get('adjusted') !== 'false';
  const results: Bar[] = [];
  for (let at = fromMs; at <= toMs && results.length < limit; at += stepMs) {
    results.push(makeBar(account, ticker, at, isAdjusted));
  }
  if (query.get('sort') === 'desc') results.reverse();
  return Response.json({
    ticker,
    account,
    adjusted: isAdjusted,
    queryCount: results.length,
    resultsCount: results.length,
    results,
    status: 'OK',
  });
}

function makeBar(account: string, ticker: string, at: number, isAdjusted: boolean): Bar {
  const level = (20 + 480 * numberFrom(account, ticker)) * (isAdjusted ? 1 : 2);
  const price = (word: string) => level * (0.98 + 0.04 * numberFrom(account, ticker, at, word));
  const [open, close] = [price('open'), price('close')];
  return {
    t: at,
    o: cents(open),
    h: cents(Math.max(open, close) * 1.01),
    l: cents(Math.min(open, close) * 0.99),
    c: cents(close),
    v: Math.floor(1_000_000 * numberFrom(account, ticker, at, 'volume')),
    vw: cents((open + close) / 2),
    n: Math.floor(10_000 * numberFrom(account, ticker, at, 'trades')),
  };
}

function cents(price: number): number {
  return Math.round(price * 100) / 100;
}

/** `YYYY-MM-DD` (UTC) or milliseconds since the epoch. */
function toMilliseconds(date: string): number {
  return /^\d+$/.test(date) ? Number(date) : Date.parse(`${date}T00:00:00Z`);
}

function refusal(status: number, error: string): Response {
  return Response.json({ status: 'ERROR', error }, { status });
}
