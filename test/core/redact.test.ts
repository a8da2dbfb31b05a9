import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Redactor } from '../../functions/core/redact.ts';
import { Secret } from '../../functions/core/secret.ts';

const SECRET = 'sk-live-4f/9+Zq"7';

function redact(secrets: readonly string[], chunks: readonly string[]): string {
  const redactor = new Redactor(secrets.map((secret) => new Secret(secret)));
  const passed = chunks.map((chunk) => Buffer.from(redactor.push(Buffer.from(chunk))));
  return Buffer.concat([...passed, redactor.end()]).toString();
}

describe('a secret that comes back', () => {
  test.for([
    { spelling: 'as it is', text: SECRET },
    { spelling: 'percent-encoded', text: encodeURIComponent(SECRET) },
    { spelling: 'in Base64', text: Buffer.from(SECRET).toString('base64').replace(/=+$/, '') },
    { spelling: 'in base64url', text: Buffer.from(SECRET).toString('base64url') },
    { spelling: 'in a JSON string', text: JSON.stringify(SECRET).slice(1, -1) },
  ])('$spelling is taken out', ({ text }) => {
    expect(redact([SECRET], [`a ${text} b ${text}`])).toBe('a [redacted] b [redacted]');
  });

  test('is taken out wherever the chunks are cut', () => {
    const whole = `before ${SECRET} after`;
    for (let cut = 0; cut <= whole.length; cut += 1) {
      expect(redact([SECRET], [whole.slice(0, cut), whole.slice(cut)])).toBe('before [redacted] after');
    }
  });

  test('of two that overlap, the longer goes', () => {
    expect(redact(['password', 'user:password'], ['x user:password y'])).toBe('x [redacted] y');
  });
});

test('what is no secret passes unchanged, in any pieces', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (chunks) => {
      expect(redact(['0123456789abcdef'], chunks)).toBe(Buffer.from(chunks.join('')).toString());
    }),
  );
});

test('no secret is ever in what passes, however it is repeated and cut', () => {
  const piece = fc.oneof(
    fc.constant('abcabcab'),
    fc.constantFrom('a', 'ab', 'abc', 'abcabca', 'b', 'c', 'abcab'),
  );
  fc.assert(
    fc.property(fc.array(piece), (chunks) => {
      expect(redact(['abcabcab'], chunks)).not.toContain('abcabcab');
    }),
  );
});

test('bytes that cannot begin a secret are not held back', () => {
  const redactor = new Redactor([new Secret(SECRET)]);
  expect(Buffer.from(redactor.push(Buffer.from('data: 1\n\n'))).toString()).toBe('data: 1\n\n');
});

test('a value too short to be told from innocent bytes is left alone', () => {
  expect(new Redactor([new Secret('abc')]).isIdle).toBe(true);
});
