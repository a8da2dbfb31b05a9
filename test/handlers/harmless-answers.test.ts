import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arrivedOf, type SentAnswer } from '../support/arrived-answer.ts';
import { startGatewayApp } from '../support/gateway-app.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { TestIssuer } from '../support/test-issuer.ts';

const KEY = 'kq7zt3nv9wplx2mbc8rj5hd1';
const issuer = new TestIssuer();
const egress = { mode: 'service_account', key: 'client', fallback: 'none' } as const;
const app = startGatewayApp(
  issuer,
  policyOf({
    servers: [serverEntry('maps', { egress })],
    scopes: [['use', [scopeRule('maps', ['tools/call'], ['draw'])]]],
    clients: [clientEntry('courier', { scopes: ['use'] })],
  }),
);
app.secrets.set(
  'sallyport/prod/credentials/acme/maps/client.courier',
  JSON.stringify({ type: 'bearer', token: KEY }),
);

const arrived = (type: SentAnswer['type'], pieces: SentAnswer['pieces']) =>
  arrivedOf(app, issuer, { server: 'maps', method: 'tools/call', type, pieces });

/** What the filters look for, and bits of it that make nothing whole together. */
const word = fc.constantFrom(
  ...['"', '\\', '/updated"', '"error"', '-31002', 'sallyport_connect', 'data:', 'data: ', 'event', '[', '}'],
  ...['\u2028', '\u0085', '\uFEFF', 'é', '😀', '\ud83d', '\0', '\r', '\n', '\t', ' ', '%', '&', ';', '\\u00'],
  ...['%78', '&#120;', '\\u0078', 'kq7', KEY.slice(1), KEY.slice(0, -1), btoa(KEY.slice(0, 12)), '6b7137'],
);
const text = fc.oneof(
  { arbitrary: fc.array(word, { maxLength: 12 }).map((words) => words.join('')), weight: 30 },
  fc.integer({ min: 60_000, max: 70_000 }).map((length) => 'x'.repeat(length)),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.constantFrom(null, true, 0, -31002, 1.5e300),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(text, tie('value'), { maxKeys: 3 }),
  ),
}));
const message = fc
  .tuple(value, fc.boolean(), fc.constantFrom(undefined, 1))
  .map(([content, isResult, indent]) => {
    const said = isResult
      ? { id: 7, result: { content } }
      : { method: 'notifications/message', params: { data: content } };
    return JSON.stringify({ jsonrpc: '2.0', ...said }, null, indent);
  });

const field = fc.oneof(
  fc.constantFrom([': hi'], ['id: 7'], ['event: message'], ['retry: 5'], ['data'], ['']),
  fc.integer({ min: 1, max: 70_000 }).map((length) => [`: ${'c'.repeat(length)}`]),
);
const data = fc
  .tuple(message, fc.constantFrom('data:', 'data: '))
  .map(([said, name]) => said.split('\n').map((line) => name + line));
const event = fc
  .tuple(fc.array(field, { maxLength: 2 }), data, fc.constantFrom('\n', '\r\n', '\r'))
  .map(([fields, said, end]) => [...fields, said, ['']].flat().map((line) => line + end));
const stream = fc.array(event, { minLength: 1, maxLength: 5 }).map((events) => events.flat().join(''));

const sizes = fc.oneof(
  fc.constant([1_000_000]),
  fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 }),
  fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 4 }),
);

/** In pieces of these sizes, over and over; of what is long the first and the last alone in small ones. */
function cut(all: string, lengths: readonly number[]): readonly Buffer[] {
  const bytes = Buffer.from(all);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const isMiddle = at > 2_000 && bytes.length - at > 4_000;
    const length = lengths[pieces.length % lengths.length] ?? 1;
    const end = isMiddle ? Math.max(at + length, bytes.length - 2_000) : at + length;
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}

test('what is harmless in JSON arrives byte for byte, in whatever pieces it comes', async () => {
  await fc.assert(
    fc.asyncProperty(message, sizes, async (sent, lengths) => {
      expect(await arrived('application/json', cut(sent, lengths))).toBe(Buffer.from(sent).toString());
    }),
    { numRuns: 150 },
  );
});

test('what is harmless in events arrives byte for byte but for the ends of lines, in whatever pieces it comes', async () => {
  await fc.assert(
    fc.asyncProperty(stream, sizes, async (sent, lengths) => {
      const expected = Buffer.from(sent)
        .toString()
        .replaceAll(/\r\n|\r/g, '\n');
      expect(await arrived('text/event-stream', cut(sent, lengths))).toBe(expected);
    }),
    { numRuns: 150 },
  );
});
