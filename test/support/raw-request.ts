import { Agent, request } from 'node:http';

/** One request exactly as it is written: target, header order and repeated headers included. */
export type RawRequest = {
  readonly method?: string;
  /** The request target: nothing in it is normalised. */
  readonly target: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string | Uint8Array;
};

/** The whole answer. Header names are lower case. */
export type RawResponse = {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
};

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

/** Sends what `fetch` would tidy up or refuse. */
export function sendRaw(origin: string, raw: RawRequest): Promise<RawResponse> {
  const { hostname, port, host } = new URL(origin);
  const { method = 'GET', target, headers = [], body } = raw;
  const length = body === undefined ? [] : ['content-length', String(Buffer.byteLength(body))];
  return new Promise((resolve, reject) => {
    const sent = request(
      { hostname, port, method, path: target, agent, headers: ['host', host, ...headers.flat(), ...length] },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const names = Object.entries(answer.headersDistinct);
          resolve({
            status: answer.statusCode ?? 0,
            headers: new Map(names.map(([name, values]) => [name, (values ?? []).join(', ')])),
            body: Buffer.concat(chunks).toString(),
          });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
