import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ConnectTicket,
  readConnectTicket,
  writeConnectTicket,
} from '../../functions/core/connect-ticket.ts';

const text = fc.string({ unit: 'binary', minLength: 1 });
const tickets: fc.Arbitrary<ConnectTicket> = fc.record({
  orgId: text,
  subject: text,
  session: text,
  target: fc.option(text, { nil: undefined }),
  clientId: fc.option(text, { nil: undefined }),
  shown: text,
  secret: text,
  expiresAtSeconds: fc.integer({ min: 0, max: 99_999_999_999 }),
});

describe('the ticket of a connection', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(tickets, (ticket) => {
        expect(readConnectTicket(writeConnectTicket(ticket))).toEqual(ticket);
      }),
    );
  });

  const honest = JSON.parse(
    writeConnectTicket({
      orgId: 'o',
      subject: 'u',
      session: 'i',
      target: undefined,
      clientId: undefined,
      shown: 'h',
      secret: 'k',
      expiresAtSeconds: 1,
    }),
  );
  test.for([
    ...Object.keys(honest).map((name) => ({ ...honest, [name]: undefined })),
    ...Object.keys(honest).map((name) => ({ ...honest, [name]: [] })),
    { ...honest, e: 1.5 },
    [],
    'x',
  ])('%j is none', (value) => {
    expect(readConnectTicket(JSON.stringify(value))).toBe(undefined);
  });

  test('no JSON is none', () => {
    expect(readConnectTicket('{')).toBe(undefined);
  });
});
