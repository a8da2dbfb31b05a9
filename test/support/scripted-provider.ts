import type { ServerResponse } from 'node:http';
import type { Provider } from '../../functions/core/provider.ts';
import { type RecordedRequest, type RecordingServer, startRecordingServer } from './recording-server.ts';

/** A provider of connections that does as it is told. */
export type ScriptedProvider = {
  readonly server: RecordingServer;
  /** Its entry, as the policy has it. */
  readonly entry: Provider;
  /** Does a refresh give another refresh token, and take the one before no more? */
  rotates: boolean;
  /** Whose tokens they are, in the answer of `/me`. */
  account: object;
  /** Members of the next answers with tokens, over the ordinary ones; undefined takes one away. */
  tokens: Readonly<Record<string, unknown>>;
  /** Answers instead of it; true: it has. */
  instead: ((request: RecordedRequest, answer: ServerResponse) => boolean) | undefined;
  /** The forms that its token endpoint was sent. */
  grants(type?: string): readonly Readonly<Record<string, string>>[];
  close(): Promise<void>;
};

/** Its client and secret. */
export const PROVIDER_CLIENT = 'gate-at-carrier';
export const PROVIDER_SECRET = 'provider-client-secret-0123456789';

/** Starts one that rotates, and whose tokens live for an hour. */
export async function startScriptedProvider(changes: Partial<Provider> = {}): Promise<ScriptedProvider> {
  let issued = 0;
  let current = '';
  const server = await startRecordingServer((request, answer) => {
    if (provider.instead?.(request, answer) === true) return;
    const form = Object.fromEntries(new URLSearchParams(request.body));
    if (request.url === '/me') {
      send(answer, 200, provider.account);
      return;
    }
    if (request.url === '/revoke') {
      send(answer, 200, {});
      return;
    }
    const isStale = provider.rotates && form['refresh_token'] !== current;
    if (form['grant_type'] === 'refresh_token' && isStale) {
      send(answer, 400, { error: 'invalid_grant' });
      return;
    }
    issued += 1;
    if (provider.rotates || current === '') current = `refresh-token-${issued}`;
    const tokens = {
      access_token: `access-token-${issued}`,
      token_type: 'Bearer',
      expires_in: 3_600,
      scope: 'parcels.read',
      refresh_token: current,
      ...provider.tokens,
    };
    send(answer, 200, tokens);
  });
  const provider: ScriptedProvider = {
    server,
    entry: {
      name: 'carrier',
      displayName: 'The carrier',
      org: undefined,
      private: true,
      clientId: PROVIDER_CLIENT,
      clientSecretName: 'sallyport/{stage}/providers/carrier',
      tokenAuth: 'client_secret_post',
      authUrl: `${server.origin}/authorize`,
      tokenUrl: `${server.origin}/token`,
      account: { url: `${server.origin}/me`, id: [['sub'], ['id']], name: [['login']] },
      revocation: { style: 'rfc7009', url: `${server.origin}/revoke` },
      scopes: ['parcels.read'],
      scopeSeparator: ' ',
      authParams: [],
      tokenHeaders: [],
      pkce: true,
      ...changes,
    },
    rotates: true,
    account: { id: 'account-1', login: 'ana@carrier' },
    tokens: {},
    instead: undefined,
    grants: (type) =>
      server.seen
        .filter(({ url }) => url === '/token')
        .map(({ body }) => Object.fromEntries(new URLSearchParams(body)))
        .filter((form) => type === undefined || form['grant_type'] === type),
    close: server.close,
  };
  return provider;
}

/** Answers JSON: true, it has. */
export function send(answer: ServerResponse, status: number, body: object): true {
  answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  return true;
}

/** Ends an answer without a body. */
export function sendNothing(answer: ServerResponse, status: number): true {
  answer.writeHead(status).end();
  return true;
}

/** Answers nothing at all. */
export function hangUp(answer: ServerResponse): true {
  answer.destroy();
  return true;
}
