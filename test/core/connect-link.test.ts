import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { connectPageUrl, readConnectLink, writeConnectLink } from '../../functions/core/connect-link.ts';

const text = fc.string({ unit: 'binary', minLength: 1 });

describe('the link of a connect page', () => {
  test('is read as it was written', () => {
    const link = fc.record({
      orgId: text,
      subject: text,
      target: fc.option(text, { nil: undefined }),
      clientId: text,
    });
    fc.assert(
      fc.property(link, (written) => {
        expect(readConnectLink(writeConnectLink(written))).toEqual(written);
      }),
    );
  });

  test.for<readonly [string, string]>([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['no organisation', '{"u":"u","c":"c"}'],
    ['no subject', '{"o":"o","c":"c"}'],
    ['no client', '{"o":"o","u":"u"}'],
    ['a subject that is no text', '{"o":"o","u":7,"c":"c"}'],
  ])('%s is none', ([, written]) => {
    expect(readConnectLink(written)).toBe(undefined);
  });

  test('stands in the URL of a page of ours', () => {
    expect(connectPageUrl('https://gate.example', 'github', 'abc')).toBe(
      'https://gate.example/connect/github?t=abc',
    );
  });
});
