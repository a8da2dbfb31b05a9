import { describe, expect, test } from 'vitest';
import { AuditChain, hashOf, MAX_CHAIN_AGE_MS } from '../../../functions/core/audit/chain.ts';
import type { AuditRecord } from '../../../functions/core/audit.ts';

function recordOf(changes: Partial<AuditRecord> = {}): AuditRecord {
  return {
    ts: '2026-11-21T10:00:00.000Z',
    request_id: 'r-1',
    event: 'decision',
    area: 'access',
    decision: 'allow',
    reason: 'desk/read',
    ...changes,
  };
}

/** As a caller makes it whom no compiler has looked at. */
const UNKNOWN_SERVER: object = { server: undefined };

describe('a chain', () => {
  test('ties each record to the one before', () => {
    const chain = new AuditChain('c', 0);
    const first = chain.begin(recordOf(), 100);
    chain.settle(1, true);
    const second = chain.begin(recordOf({ reason: 'next' }), 101);
    expect(first).toMatchObject({ chain: 'c', seq: 1, prev: [], expires_at: 100, hash: hashOf(first) });
    expect(first).not.toHaveProperty('pending');
    expect(first).not.toHaveProperty('failed');
    expect(second).toMatchObject({ seq: 2, prev: [`1:${first.hash}`], hash: hashOf(second) });
  });

  test('says which records were still being written, and names each of them once it is durable', () => {
    const chain = new AuditChain('c', 0);
    const first = chain.begin(recordOf(), 0);
    const second = chain.begin(recordOf(), 0);
    const third = chain.begin(recordOf(), 0);
    expect([second.pending, third.pending]).toEqual(['1', '1-2']);
    for (const seq of [3, 1, 2]) chain.settle(seq, true);
    expect(chain.begin(recordOf(), 0).prev.toSorted()).toEqual([
      `1:${first.hash}`,
      `2:${second.hash}`,
      `3:${third.hash}`,
    ]);
  });

  test('names no record whose write failed, and tells of it until a durable record has', () => {
    const chain = new AuditChain('c', 0);
    const first = chain.begin(recordOf(), 0);
    chain.settle(1, true);
    for (const seq of [2, 3]) {
      expect(chain.begin(recordOf(), 0).seq).toBe(seq);
      chain.settle(seq, false);
    }
    const fourth = chain.begin(recordOf(), 0);
    expect([fourth.prev, fourth.failed]).toEqual([[`1:${first.hash}`], '2-3']);
    chain.settle(4, false);
    const fifth = chain.begin(recordOf(), 0);
    expect([fifth.prev, fifth.failed]).toEqual([[`1:${first.hash}`], '2-4']);
    chain.settle(5, true);
    const sixth = chain.begin(recordOf(), 0);
    expect([sixth.prev, sixth.failed]).toEqual([[`5:${fifth.hash}`], undefined]);
  });

  test('settles a record once', () => {
    const chain = new AuditChain('c', 0);
    const first = chain.begin(recordOf(), 0);
    chain.settle(1, true);
    chain.settle(1, false);
    chain.settle(7, false);
    const second = chain.begin(recordOf(), 0);
    expect([second.prev, second.failed]).toEqual([[`1:${first.hash}`], undefined]);
  });

  test('goes on for six hours', () => {
    const chain = new AuditChain('c', 1_000);
    expect(chain.isOver(1_000 + MAX_CHAIN_AGE_MS)).toBe(false);
    expect(chain.isOver(1_001 + MAX_CHAIN_AGE_MS)).toBe(true);
  });

  test('keeps strings that every store writes the same way', () => {
    const record = recordOf({ name: 'a\ud800b', scopes: ['\udc00'], reason: 'é€😀', duration_ms: 3 });
    const chained = new AuditChain('c', 0).begin({ ...record, ...UNKNOWN_SERVER }, 0);
    expect(chained).toMatchObject({ name: 'a\ufffdb', scopes: ['\ufffd'], reason: 'é€😀', duration_ms: 3 });
    expect(chained).not.toHaveProperty('server');
  });
});

describe('the hash of a record', () => {
  const record = { a: 'x', b: 1, c: ['y', 'z'] } as const;

  test('is not that of its hash, and does not know an order of members', () => {
    expect(hashOf({ c: record.c, hash: 'h', b: 1, a: 'x', d: undefined })).toBe(hashOf(record));
    expect(hashOf(record)).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  test.for([
    ['another value', { ...record, a: 'X' }],
    ['another number', { ...record, b: 2 }],
    ['a text for a number', { ...record, b: '1' }],
    ['another list', { ...record, c: ['z', 'y'] }],
    ['a shorter list', { ...record, c: ['y'] }],
    ['a member less', { a: 'x', b: 1 }],
    ['a member more', { ...record, d: '' }],
    ['a value under another name', { b: 1, c: ['y', 'z'], d: 'x' }],
  ] as const)('is another with %s', ([, changed]) => {
    expect(hashOf(changed)).not.toBe(hashOf(record));
  });
});
