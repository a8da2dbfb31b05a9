import { answerOf, type GatewayApp } from './gateway-app.ts';
import type { TestIssuer } from './test-issuer.ts';

/** What a server answers, in these pieces, and to which method. */
export type SentAnswer = {
  readonly server: string;
  readonly method: 'tools/call' | 'tools/list';
  readonly type: 'application/json' | 'text/event-stream';
  readonly pieces: readonly (string | Uint8Array)[];
};

/** What arrives of it at a client with the scope `use`, which asks with the id 7, in the initialize era; a call is one of the tool `draw`. */
export async function arrivedOf(app: GatewayApp, issuer: TestIssuer, sent: SentAnswer): Promise<string> {
  const { server, method, type, pieces } = sent;
  const answer = answerOf('', { headers: { 'content-type': type } });
  app.answer = () => ({ ...answer, body: ReadableStream.from(pieces.map((piece) => Buffer.from(piece))) });
  const params = method === 'tools/call' ? { name: 'draw', arguments: {} } : {};
  const response = await app.fetch(`/${server}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${issuer.accessToken({ scope: 'use' })}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 7, method, params }),
  });
  return response.text();
}
