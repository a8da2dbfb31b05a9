import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openEnvelope, readEnvelope, sealEnvelope, writeEnvelope } from '../../functions/core/envelope.ts';
import { Secret } from '../../functions/core/secret.ts';
import {
  connectionKey,
  isOfEndpoint,
  readVaulted,
  sealingContext,
  shownConnection,
  type VaultedConnection,
  writeVaulted,
} from '../../functions/core/vaulted-connection.ts';

const VAULTED: VaultedConnection = {
  consentId: 'consent',
  generation: 3,
  status: 'active',
  accessToken: new Secret('at'),
  refreshToken: new Secret('rt'),
  expiresAtSeconds: 100,
  granted: ['a'],
  asked: ['a', 'b'],
  account: { id: 'account', name: 'ana' },
  cloudIds: ['site'],
  connectedAtSeconds: 1,
  refreshedAtSeconds: 2,
};

const plain = (vaulted: VaultedConnection | undefined) =>
  vaulted && {
    ...vaulted,
    accessToken: vaulted.accessToken.reveal(),
    refreshToken: vaulted.refreshToken?.reveal(),
  };

describe('a connection', () => {
  test.for([
    VAULTED,
    { ...VAULTED, status: 'broken' as const, refreshToken: undefined, expiresAtSeconds: undefined },
    { ...VAULTED, account: undefined, cloudIds: [], granted: [] },
    { ...VAULTED, account: { id: 'account', name: undefined } },
    { ...VAULTED, tokenUrl: 'https://carrier.example/token', clientId: 'gate' },
  ])('is read as it was written', (vaulted) => {
    expect(plain(readVaulted(writeVaulted(vaulted)))).toEqual(plain(vaulted));
  });

  const entry = { tokenUrl: 'https://a.example/token', clientId: 'gate' };
  test.for([
    ['the entry’s', entry, true],
    ['an older version’s, which does not say', {}, true],
    ['another endpoint’s', { ...entry, tokenUrl: 'https://b.example/token' }, false],
    ['another client’s', { ...entry, clientId: 'gate-2' }, false],
  ] as const)('knows whose tokens it has: %s', ([, vaulted, isOf]) => {
    expect(isOfEndpoint(vaulted, entry)).toBe(isOf);
  });

  test('shows its owner no token', () => {
    const shown = shownConnection('carrier', VAULTED);
    expect(shown).toEqual({
      provider: 'carrier',
      account: { id: 'account', name: 'ana' },
      scopes: ['a'],
      status: 'active',
      connectedAtSeconds: 1,
      refreshedAtSeconds: 2,
      cloudId: 'site',
    });
    expect(shownConnection('carrier', { ...VAULTED, cloudIds: [] })).not.toHaveProperty('cloudId');
  });

  test.for(['consentId', 'generation', 'status', 'accessToken', 'connectedAtSeconds', 'refreshedAtSeconds'])(
    'without its `%s` is none',
    (name) => {
      const value = JSON.parse(writeVaulted(VAULTED));
      expect(readVaulted(JSON.stringify({ ...value, [name]: undefined }))).toBeUndefined();
      expect(readVaulted(JSON.stringify({ ...value, [name]: {} }))).toBeUndefined();
    },
  );

  test('whose lists are none has empty ones', () => {
    const value = JSON.parse(writeVaulted(VAULTED));
    const read = readVaulted(
      JSON.stringify({ ...value, granted: 'a', asked: undefined, cloudIds: [7, 'x'] }),
    );
    expect(read).toMatchObject({ granted: [], asked: [], cloudIds: ['x'] });
  });

  test.for(['not json', '[]', '7', ''])('is not %j', (text) => {
    expect(readVaulted(text)).toBeUndefined();
  });

  test('lies where no other owner’s or provider’s lies', () => {
    const owner = fc.record({ orgId: fc.stringMatching(/^[a-z][a-z.:@-]{0,8}$/), subject: fc.string() });
    const place = fc.tuple(owner, fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,8}$/));
    fc.assert(
      fc.property(place, place, ([a, at], [b, bt]) => {
        const isSame =
          a.orgId === b.orgId && Buffer.from(a.subject).equals(Buffer.from(b.subject)) && at === bt;
        const keys = [connectionKey(a, at), connectionKey(b, bt)].map(({ orgId, id }) =>
          JSON.stringify([orgId, id]),
        );
        expect(keys[0] === keys[1]).toBe(isSame);
      }),
    );
  });
});

describe('an envelope', () => {
  const context = sealingContext({ orgId: 'acme', subject: 'office:ana' }, 'carrier');
  const key = { plaintext: randomBytes(32), wrapped: 'wrapped' };
  const sealed = sealEnvelope('text', key, context, randomBytes(12));

  test('opens with its key for its context, in whatever order that is written', () => {
    expect(openEnvelope(sealed, key.plaintext, context)).toBe('text');
    const { org, subject, provider } = context;
    expect(openEnvelope(sealed, key.plaintext, { provider, subject, org })).toBe('text');
  });

  test('opens for nobody else, nor changed', () => {
    expect(openEnvelope(sealed, randomBytes(32), context)).toBeUndefined();
    for (const name of ['org', 'subject', 'provider']) {
      expect(openEnvelope(sealed, key.plaintext, { ...context, [name]: 'other' })).toBeUndefined();
    }
    const bytes = Buffer.from(sealed.sealed, 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const envelope = { ...sealed, sealed: changed.toString('base64url') };
      expect(openEnvelope(envelope, key.plaintext, context)).toBeUndefined();
    }
    expect(openEnvelope({ ...sealed, sealed: 'AA' }, key.plaintext, context)).toBeUndefined();
  });

  test.for([
    sealed,
    { ...sealed, lease: { holder: 'h', untilMs: 7 } },
    { ...sealed, pausedUntilMs: 9 },
    { ...sealed, pausedUntilMs: 9, brokenFromMs: 8 },
  ])('is read as it was written', (envelope) => {
    expect(readEnvelope(writeEnvelope(envelope))).toEqual(envelope);
  });

  test.for([
    ['nothing', ''],
    ['no object', '[]'],
    ['no key', '{"v":1,"sealed":"x"}'],
    ['nothing sealed', '{"v":1,"wrappedKey":"x"}'],
    ['another version', '{"v":2,"wrappedKey":"x","sealed":"x"}'],
  ] as const)('is none: %s', ([, text]) => {
    expect(readEnvelope(text)).toBeUndefined();
  });

  test.for(['{"holder":"h"}', '{"untilMs":7}', '[]', '{"holder":7,"untilMs":"x"}'])(
    'whose lease is %s has none',
    (lease) => {
      const text = `{"v":1,"wrappedKey":"x","sealed":"y","lease":${lease},"pausedUntilMs":"soon"}`;
      expect(readEnvelope(text)).toEqual({ wrappedKey: 'x', sealed: 'y' });
    },
  );
});
