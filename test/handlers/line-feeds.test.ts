import { describe, expect, test } from 'vitest';
import { arrivedOf, type SentAnswer } from '../support/arrived-answer.ts';
import { startGatewayApp } from '../support/gateway-app.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const app = startGatewayApp(
  issuer,
  policyOf({
    servers: [serverEntry('maps')],
    scopes: [['use', [scopeRule('maps', ['tools/call', 'tools/list'], ['draw'])]]],
    clients: [clientEntry('courier', { scopes: ['use'] })],
  }),
);

/** What arrives of an event stream. */
function arrived(method: SentAnswer['method'], pieces: readonly string[]): Promise<string> {
  return arrivedOf(app, issuer, { server: 'maps', method, type: 'text/event-stream', pieces });
}

/** The data of events for a reader that ends lines at line feeds alone, and trims them, as the official SDK of Go does. */
function readByLineFeeds(stream: string): readonly string[] {
  const events: string[] = [];
  let event = '';
  let data: string[] = [];
  for (const line of stream.split('\n').map((one) => one.replace(/\r$/, ''))) {
    if (line.startsWith('data:')) {
      data.push(line.slice('data:'.length).trim());
      continue;
    }
    // Behind another field, data are those of the event anew.
    if (data.length > 0) event = data.join('\n');
    data = [];
    if (line !== '') continue;
    if (event !== '') events.push(event);
    event = '';
  }
  return events;
}

const VOICE = JSON.stringify({ jsonrpc: '2.0', id: 7, error: { code: -31002, message: 'hidden' } });
const NEWS = JSON.stringify({
  jsonrpc: '2.0',
  method: 'notifications/resources/updated',
  params: { uri: 'doc://hidden' },
});
const LIST = JSON.stringify({
  jsonrpc: '2.0',
  id: 7,
  result: { tools: [{ name: 'draw' }, { name: 'hidden' }] },
});
/** What to hide, and the method that is answered. */
const HIDDEN = [
  ['our voice', 'tools/call', VOICE],
  ['news', 'tools/call', NEWS],
  ['a list', 'tools/list', LIST],
] as const;
const BEHIND = {
  'a lone CR': (text: string) => `data:\r${text}\n\n`,
  'two CRs': (text: string) => `data:\r\r${text}\n\n`,
  'much, and a lone CR': (text: string) => `data:\r${' '.repeat(70_000)}${text}\n\n`,
  'half of an object that ends in a comment': (text: string) =>
    `: x\rdata: {"x":\ndata: ${text}\n: y\rdata: }\n\n`,
} as const;
const ROWS = HIDDEN.flatMap(([what, method, text]) =>
  Object.entries(BEHIND).map(([where, behind]) => [what, where, method, behind(text)] as const),
);

describe('what a reader of line feeds alone could find is looked at as it finds it', () => {
  test.for(ROWS)('%s behind %s', async ([, , method, body]) => {
    for (const pieces of [[body], body.split(/(?<=\r)/)]) {
      expect(readByLineFeeds(body).filter(isMessage).join()).toContain('hidden');
      const events = readByLineFeeds(await arrived(method, pieces));
      expect(events.filter(isMessage).join()).not.toContain('hidden');
    }
  });
});

function isMessage(event: string): boolean {
  try {
    const value: unknown = JSON.parse(event);
    return typeof value === 'object' && value !== null && 'jsonrpc' in value;
  } catch {
    return false;
  }
}

test.for([
  ['CRLF', '\r\n'],
  ['CR', '\r'],
] as const)(
  'a stream that ends its lines with %s arrives with line feeds, every event in it',
  async ([, end]) => {
    const stream = `: hi\n\nid: 1\nevent: message\ndata: {"jsonrpc":"2.0","method":"notifications/progress"}\n\n${'data: {"jsonrpc":"2.0","id":7,"result":{"content":[]}}\n\n'}`;
    const sent = stream.replaceAll('\n', end);
    for (const pieces of [[sent], [...sent]]) expect(await arrived('tools/call', pieces)).toBe(stream);
  },
);
