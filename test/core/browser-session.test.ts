import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BrowserSession, readSession, writeSession } from '../../functions/core/browser-session.ts';

const text = fc.string({ unit: 'binary', minLength: 1 });
const seconds = fc.integer({ min: 0, max: 99_999_999_999 });
const session: fc.Arbitrary<BrowserSession> = fc.record({
  orgId: text,
  idp: text,
  subject: text,
  displayName: fc.string({ unit: 'binary' }),
  groups: fc.array(text),
  authTimeSeconds: seconds,
  createdAtSeconds: seconds,
});

test('a session is read as it was written, in the organisation under which it is stored', () => {
  fc.assert(
    fc.property(session, text, (written, orgId) => {
      expect(readSession(orgId, writeSession(written))).toEqual({ ...written, orgId });
    }),
    { numRuns: 1_000 },
  );
});

test('a record that lacks anything, or has it in another type, is no session', () => {
  const honest = {
    idp: 'i',
    subject: 'i:u',
    displayName: '',
    groups: ['g'],
    authTimeSeconds: 1,
    createdAtSeconds: 1,
  };
  expect(readSession('acme', JSON.stringify(honest))).toMatchObject(honest);
  for (const member of Object.keys(honest)) {
    for (const value of [undefined, null, true, [7], {}]) {
      expect(readSession('acme', JSON.stringify({ ...honest, [member]: value }))).toBeUndefined();
    }
  }
  for (const other of ['', '[]', 'null', '{']) expect(readSession('acme', other)).toBeUndefined();
});
