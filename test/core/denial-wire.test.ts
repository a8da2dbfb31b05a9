import { describe, expect, test } from 'vitest';
import { retryAfterSeconds } from '../../functions/core/denial.ts';
import { scopeChallenge, toWire } from '../../functions/core/denial-wire.ts';
import { toMcpAnswer } from '../../functions/core/mcp-denial.ts';
import { call, list, WIRE } from '../support/denials.ts';

describe('every reason', () => {
  test.for(Object.values(WIRE))('%j → %d %s', ([denial, status, code]) => {
    const wire = toWire(denial);
    expect([wire.status, wire.code]).toEqual([status, code]);
    for (const to of [undefined, call, list]) {
      const { body } = toMcpAnswer(denial, to, 'r-1');
      for (const hidden of ['OPERATOR', 'k-1', 'signature']) expect(body + wire.text).not.toContain(hidden);
      const parsed = JSON.parse(body);
      expect(parsed.jsonrpc).toBe('2.0');
      expect(parsed.id).toBe(to === undefined ? null : 7);
      expect(Object.keys(parsed).sort()).toEqual(
        ['error' in parsed ? 'error' : 'result', 'id', 'jsonrpc'].sort(),
      );
    }
  });

  test('who is not admitted learns nothing of the reason', () => {
    const answers = Object.values(WIRE)
      .filter(([, status]) => status === 401)
      .map(([denial]) => toMcpAnswer(denial, undefined, 'r-1').body);
    expect(answers.length).toBe(12);
    expect(new Set(answers).size).toBe(1);
  });

  test('codes of our own are outside the protocol’s range', () => {
    const codes = Object.values(WIRE)
      .filter(([denial]) => denial.reason !== 'malformed_message')
      .map(([denial]) => toWire(denial).rpcCode);
    for (const code of codes) expect(code === -32600 || code > -32000).toBe(true);
  });
});

test('the challenge names all scopes and the metadata of the server', () => {
  expect(scopeChallenge(['maps/read', 'maps/execute'], 'https://gate.example.com/m')).toBe(
    'Bearer error="insufficient_scope", scope="maps/read maps/execute", resource_metadata="https://gate.example.com/m"',
  );
});

test('who waits is told how long, where waiting helps', () => {
  expect(retryAfterSeconds(WIRE.rate_limited[0])).toBe(7);
  expect(retryAfterSeconds(WIRE.unavailable[0])).toBe(2);
  expect(retryAfterSeconds(WIRE.not_granted[0])).toBeUndefined();
});
