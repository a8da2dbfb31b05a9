import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HeapString, readHeapStrings } from '../support/heap-snapshot.ts';
import { type CanaryKind, canary } from './canary.ts';

/** A process of its own serves some hundred requests and writes its heap down. */
const timeout = 120_000;

/** What is of one request alone. */
const OF_A_REQUEST: readonly CanaryKind[] = [
  'argument',
  'header',
  'hidden',
  'rpcId',
  'name',
  'authorization',
  'requestId',
  'content',
  'topology',
  'session',
];

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sallyport-heap-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The strings with a canary on the heap of a process whose gateways have served everything, one of them keeping what it should not. */
function serve(keeper: string): readonly HeapString[] {
  const file = join(directory, `${keeper}.heapsnapshot`);
  const program = join(import.meta.dirname, 'retention.ts');
  const flags = ['--expose-gc', '--heap-snapshot-string-limit=10000000'];
  execFileSync(process.execPath, [...flags, program, file, keeper]);
  return readHeapStrings(file, (text) => /canary[a-z][0-9a-z]{9}/.test(text));
}

function withCanary(strings: readonly HeapString[], kinds: readonly CanaryKind[]): readonly HeapString[] {
  const marks = kinds.map((kind) => canary(kind, 0).slice(0, -9));
  return strings.filter(({ text }) => marks.some((mark) => new RegExp(`${mark}[0-9a-z]{9}`).test(text)));
}

test('when all requests are over, nothing of any of them is on the heap, and secrets only as secrets', {
  timeout,
}, () => {
  const strings = serve('none');
  expect(withCanary(strings, OF_A_REQUEST)).toEqual([]);
  const secrets = withCanary(strings, ['secret']);
  expect(secrets.length).toBeGreaterThan(20);
  expect(secrets.filter(({ holders }) => holders.join() !== 'Secret')).toEqual([]);
  // Tokens that were verified are remembered, and seen here: what is not seen is not there.
  expect(withCanary(strings, ['token']).length).toBeGreaterThan(50);
});

test.for(['all cookies', 'the last body'])('%s that a gateway keeps would be seen', { timeout }, (keeper) => {
  expect(withCanary(serve(keeper), OF_A_REQUEST)).not.toEqual([]);
});

test('secrets that a gateway keeps elsewhere would be seen', { timeout }, () => {
  const secrets = withCanary(serve('secrets in another place'), ['secret']);
  expect(secrets.filter(({ holders }) => holders.join() !== 'Secret')).not.toEqual([]);
});
