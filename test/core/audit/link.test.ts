import { describe, expect, test } from 'vitest';
import { AuditChain } from '../../../functions/core/audit/chain.ts';
import { linkOf } from '../../../functions/core/audit/link.ts';
import { partitionsOf, recordKeyOf, SHARDS } from '../../../functions/core/audit/record-key.ts';

const RECORD = new AuditChain('c', 0).begin(
  {
    ts: '2026-11-21T10:00:00.000Z',
    request_id: 'r-1',
    event: 'decision',
    area: 'access',
    decision: 'deny',
    reason: 'no_token',
  },
  9,
);
const members = { ...RECORD, scopes: [...(RECORD.scopes ?? [])] };

describe('a record', () => {
  test('of nobody is among those of no organisation', () => {
    const key = recordKeyOf(RECORD);
    expect(key.pk).toMatch(/^RECORD#-#2026-11-21#[0-7]$/);
    const { scopes, ...record } = members;
    const found = {
      key,
      record: Object.fromEntries(
        Object.entries(record).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
      ),
    };
    expect(linkOf(found, '-')).toMatchObject({ chain: 'c', seq: 1, isIntact: true, isInPlace: true });
    expect(linkOf(found, 'acme')).toMatchObject({ isIntact: true, isInPlace: false });
  });

  test('of an organisation is not in place among those of another', () => {
    const record = { ts: RECORD.ts, chain: 'c', seq: 1, hash: 'h', org_id: 'acme' };
    const key = recordKeyOf({ ...record, org_id: 'beta' });
    expect(linkOf({ key, record }, 'beta')).toMatchObject({ isInPlace: false });
  });

  test.for([
    [{ chain: 'c', seq: 1 }],
    [{ chain: 'c', hash: 'h' }],
    [{ seq: 1, hash: 'h' }],
    [{ chain: 1, seq: 1, hash: 'h' }],
    [{ chain: 'c', seq: '1', hash: 'h' }],
    [{}],
  ])('with %j is in no chain', ([record = {}]) => {
    expect(linkOf({ key: { pk: '', sk: '' }, record }, 'acme')).toBeUndefined();
  });

  test('whose members are of other types is in a chain, and not intact', () => {
    const record = { chain: 'c', seq: 1, hash: 'h', ts: 5, prev: '1:h', pending: 2, failed: ['3'] };
    expect(linkOf({ key: { pk: '', sk: '' }, record }, 'acme')).toEqual({
      chain: 'c',
      seq: 1,
      ts: '',
      hash: 'h',
      prev: [],
      pending: undefined,
      failed: undefined,
      isIntact: false,
      isInPlace: false,
    });
  });
});

test('the partitions of organisations never meet, whatever they are called', () => {
  const names = ['acme', 'acme@2026', '-', 'RECORD', 'CHECKPOINT', 'a.b', 'a:b'];
  const partitions = names.flatMap((orgId) => partitionsOf(orgId, '2026-11-21'));
  expect(new Set(partitions).size).toBe(names.length * (SHARDS + 1));
});
