import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Sealer } from '../../functions/core/seal.ts';

const SECRET = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);
const sealer = new Sealer([SECRET]);
const seal = (plaintext: string, context = 'alice') =>
  sealer.seal('session', context, plaintext, randomBytes(12));

describe('what was sealed', () => {
  test('opens for the same purpose and context', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (plaintext, context) => {
        expect(sealer.open('session', context, seal(plaintext, context))).toBe(plaintext);
      }),
    );
  });

  test.for(['bob', 'Alice', 'alice ', '', 'alice\0'])('does not open for %j', (context) => {
    expect(sealer.open('session', context, seal('id-1'))).toBe(undefined);
  });

  test('does not open for another purpose', () => {
    expect(sealer.open('cursor', 'alice', seal('id-1'))).toBe(undefined);
  });

  test('tells nothing of what is in it, not even that two are equal', () => {
    const sealed = seal('the-upstream-session');
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('upstream');
    expect(seal('the-upstream-session')).not.toBe(sealed);
  });

  test('tells by `sealSame` that two are equal, and nothing else', () => {
    const same = (text: string, context = 'alice', by = sealer) => by.sealSame('session', context, text);
    expect(same('id-1')).toBe(same('id-1'));
    expect(sealer.open('session', 'alice', same('id-1'))).toBe('id-1');
    const nonceOf = (sealed: string) => sealed.slice(0, 16);
    const others = [same('id-2'), same('id-1', 'bob'), same('id-1', 'alice', new Sealer([OTHER]))];
    expect(new Set([same('id-1'), ...others].map(nonceOf)).size).toBe(4);
    expect(nonceOf(sealer.sealSame('cursor', 'alice', 'id-1'))).not.toBe(nonceOf(same('id-1')));
  });

  test('opens in one spelling alone, and not at all when one character is changed', () => {
    const sealed = seal('id-1');
    for (let at = 0; at < sealed.length; at += 1) {
      for (const letter of 'AQgw_-') {
        const changed = sealed.slice(0, at) + letter + sealed.slice(at + 1);
        if (changed !== sealed) expect(sealer.open('session', 'alice', changed)).toBe(undefined);
      }
    }
    for (const changed of [
      `${sealed}=`,
      `${sealed}A`,
      ` ${sealed}`,
      `${sealed}\n`,
      sealed.slice(1),
      sealed.slice(0, -2),
    ]) {
      expect(sealer.open('session', 'alice', changed)).toBe(undefined);
    }
  });

  test('no other text opens', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
        ),
        (text) => {
          expect(sealer.open('session', 'alice', text)).toBe(undefined);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('the secret', () => {
  test('is rotated: the first seals, all open, and a retired one opens no more', () => {
    const old = seal('id-1');
    const rotated = new Sealer([OTHER, SECRET]);
    expect(rotated.open('session', 'alice', old)).toBe('id-1');
    const fresh = rotated.seal('session', 'alice', 'id-2', randomBytes(12));
    expect(new Sealer([OTHER]).open('session', 'alice', fresh)).toBe('id-2');
    expect(sealer.open('session', 'alice', fresh)).toBe(undefined);
    expect(new Sealer([OTHER]).open('session', 'alice', old)).toBe(undefined);
  });

  test.for([[[]], [['']], [['short']], [[SECRET, 'x'.repeat(31)]]] as const)('%j is none', ([secrets]) => {
    expect(() => new Sealer(secrets)).toThrow(TypeError);
  });
});
