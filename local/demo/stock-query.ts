import { z } from 'zod';

const DATE = /^(\d{4}-\d{2}-\d{2}|\d{1,13})$/;

/** The arguments of both stock tools. The patterns admit nothing that could leave a path segment. */
export const StockQuery = z.object({
  stock_ticker: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9.:-]{0,31}$/)
    .describe('The ticker symbol, for example AAPL'),
  multiplier: z.int().min(1).max(10_000).describe('How many timespans make one bar'),
  timespan: z.enum(['minute', 'hour', 'day', 'week', 'month', 'quarter', 'year']),
  from_date: z.string().regex(DATE).describe('YYYY-MM-DD, or milliseconds since the epoch'),
  to_date: z.string().regex(DATE).describe('YYYY-MM-DD, or milliseconds since the epoch'),
  adjusted: z.boolean().default(true).describe('Adjust for splits'),
  sort: z.enum(['asc', 'desc']).nullable().default(null).describe('Order by time'),
  limit: z.int().min(1).max(50_000).default(5000).describe('At most so many bars'),
});

/** Path and query of the aggregates request, relative to the API. */
export function toPath(query: z.infer<typeof StockQuery>): string {
  const { stock_ticker, multiplier, timespan, from_date, to_date, adjusted, sort, limit } = query;
  const segments = [stock_ticker.toUpperCase(), String(multiplier), timespan, from_date, to_date];
  // RFC 3986 §3.3: a colon may stand in a segment; gateways disagree on `%3A`.
  const [ticker, ...range] = segments.map((segment) => encodeURIComponent(segment).replaceAll('%3A', ':'));
  const parameters = new URLSearchParams({ adjusted: String(adjusted), limit: String(limit) });
  if (sort !== null) parameters.set('sort', sort);
  return `/v2/aggs/ticker/${ticker}/range/${range.join('/')}?${parameters}`;
}

/** What the API answers; members that no tool shows are dropped. */
export const StockAggregates = z.object({
  ticker: z.string(),
  account: z.string().optional(),
  adjusted: z.boolean(),
  resultsCount: z.number(),
  results: z
    .array(
      z.object({
        t: z.number(),
        o: z.number(),
        h: z.number(),
        l: z.number(),
        c: z.number(),
        v: z.number(),
        vw: z.number().optional(),
        n: z.number().optional(),
      }),
    )
    .default([]),
});

/** The bars as a table for people: one line each, oldest or newest first as they came. */
export function toTable({ ticker, account, results }: z.infer<typeof StockAggregates>): string {
  const title = `${ticker}: ${results.length} bars${account === undefined ? '' : ` (account ${account})`}`;
  const head = ['time', 'open', 'high', 'low', 'close', 'volume'];
  const rows = results.map(({ t, o, h, l, c, v }) => [
    new Date(t).toISOString().slice(0, 16).replace('T', ' '),
    ...[o, h, l, c].map((price) => price.toFixed(2)),
    String(v),
  ]);
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => cell.padStart(i === 0 ? 16 : 11)).join('');
  return [title, ...[head, ...rows].map(line)].join('\n');
}
