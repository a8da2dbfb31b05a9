import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { jwtVerify } from 'jose';
import {
  answerTool,
  type RecordedRequest,
  type RecordingServer,
  startRecordingServer,
} from '../../support/recording-server.ts';

/** Kinds of credentials: each is a server of that name, which takes one of its kind. */
export const KINDS = [
  'bearer',
  'basic',
  'header',
  'query',
  'client-basic',
  'client-post',
  'client-key',
] as const;
export type Kind = (typeof KINDS)[number];

/**
 * Servers that take one credential each and no other: from the moment at which it takes the next, it takes the one before no more, nor a token
 * that was got with it.
 */
export type Party = {
  readonly origin: string;
  /** The value of the next secret, which is not taken yet. The first one is taken from the start. */
  next(kind: Kind): object;
  /** From now on the newest is taken, and it alone. */
  take(kind: Kind): void;
  /** How often a credential of this kind was refused. */
  refusals(kind: Kind): number;
  close(): Promise<void>;
};

type Made = { readonly value: object; readonly presented: string; readonly publicKey?: KeyObject };

/** Starts them on loopback; token endpoints are at `/token/{kind}`. */
export async function startParty(): Promise<Party> {
  const made = new Map<Kind, Made[]>(KINDS.map((kind) => [kind, []]));
  const taken = new Map<Kind, Made>();
  const tokens = new Map<string, Made>();
  const refused = new Map<Kind, number>();
  const refuse = (kind: Kind) => refused.set(kind, (refused.get(kind) ?? 0) + 1);
  const server: RecordingServer = await startRecordingServer((request, answer) => {
    // A load keeps nothing.
    server.seen.length = 0;
    void serve(request, answer);
  });

  const serve = async (request: RecordedRequest, answer: ServerResponse): Promise<void> => {
    const [, first = '', second = ''] = request.url.split(/[/?]/);
    const kind = KINDS.find((one) => one === (first === 'token' ? second : first));
    const current = kind === undefined ? undefined : taken.get(kind);
    if (kind === undefined || current === undefined) answer.writeHead(404).end();
    else if (first === 'token') await giveToken(request, answer, kind, current);
    else if (isGood(request, current)) answerTool(request, answer, 'done');
    else {
      refuse(kind);
      answer.writeHead(401).end();
    }
  };

  const giveToken = async (
    request: RecordedRequest,
    answer: ServerResponse,
    kind: Kind,
    current: Made,
  ): Promise<void> => {
    const form = new URLSearchParams(request.body);
    const assertion = form.get('client_assertion') ?? '';
    const isClient =
      current.publicKey === undefined
        ? [basicOf(request), form.get('client_secret')].includes(current.presented)
        : await jwtVerify(assertion, current.publicKey, { clockTolerance: 5 }).then(
            () => true,
            () => false,
          );
    answer.writeHead(isClient ? 200 : 401, { 'content-type': 'application/json' });
    if (!isClient) {
      refuse(kind);
      answer.end('{"error":"invalid_client"}');
      return;
    }
    const token = randomUUID();
    tokens.set(token, current);
    answer.end(JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: 600 }));
  };

  const isGood = ({ url, headers }: RecordedRequest, current: Made): boolean => {
    const bearer = (headers.authorization ?? '').replace('Bearer ', '');
    const presented = [
      bearer,
      Buffer.from((headers.authorization ?? '').replace('Basic ', ''), 'base64').toString(),
      headers['x-api-key'],
      new URL(url, server.origin).searchParams.get('key'),
    ];
    return tokens.has(bearer) ? tokens.get(bearer) === current : presented.includes(current.presented);
  };

  return {
    origin: server.origin,
    next(kind) {
      const all = made.get(kind) ?? [];
      const one = makeOne(kind, `${server.origin}/token/${kind}`, `${kind}-secret-${all.length + 1}`);
      all.push(one);
      if (all.length === 1) taken.set(kind, one);
      return one.value;
    },
    take(kind) {
      const newest = made.get(kind)?.at(-1);
      if (newest !== undefined) taken.set(kind, newest);
    },
    refusals: (kind) => refused.get(kind) ?? 0,
    close: () => server.close(),
  };
}

function makeOne(kind: Kind, token_url: string, text: string): Made {
  const client = { type: 'oauth2', token_url, client_id: 'gateway' };
  switch (kind) {
    case 'bearer':
      return { value: { type: kind, token: text }, presented: text };
    case 'basic':
      return { value: { type: kind, username: 'u', password: text }, presented: `u:${text}` };
    case 'header':
      return { value: { type: kind, name: 'X-Api-Key', value: text }, presented: text };
    case 'query':
      return { value: { type: kind, name: 'key', value: text }, presented: text };
    case 'client-basic':
      return { value: { ...client, client_secret: text }, presented: `gateway:${text}` };
    case 'client-post':
      return { value: { ...client, auth: 'client_secret_post', client_secret: text }, presented: text };
    case 'client-key': {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const private_key = privateKey.export({ format: 'jwk' });
      return { value: { ...client, auth: 'private_key_jwt', private_key }, presented: text, publicKey };
    }
  }
}

function basicOf({ headers }: RecordedRequest): string {
  const encoded = (headers.authorization ?? '').replace('Basic ', '');
  return decodeURIComponent(Buffer.from(encoded, 'base64').toString());
}
