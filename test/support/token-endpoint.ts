import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

/** A certified authorization server, in this process, on loopback, that gives tokens to machines (RFC 6749 §4.4). */
export type TokenEndpoint = {
  readonly url: string;
  /** Every access token that it gave. */
  readonly issued: readonly string[];
  /** Is this an access token of its own, alive, and with this scope? */
  takes(token: string, scope: string): Promise<boolean>;
  /** Forgets a token before its time. */
  revoke(token: string): Promise<void>;
  close(): Promise<void>;
};

/** A machine that it knows: by a secret, or by the public half of a key. */
export type Machine = { readonly id: string; readonly scope: string } & (
  | { readonly secret: string; readonly auth: 'client_secret_basic' | 'client_secret_post' }
  | { readonly publicKey: object }
);

/** Starts one that knows these machines. Its own answers hold a token as `access_token`, opaque. */
export async function startTokenEndpoint(machines: readonly Machine[]): Promise<TokenEndpoint> {
  const server = createServer((request, response) => void listener(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: a TCP server that listens has such an address
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const signingKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  const provider = new Provider(issuer, {
    clients: machines.map((machine) => ({
      client_id: machine.id,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: machine.scope,
      ...('secret' in machine
        ? { client_secret: machine.secret, token_endpoint_auth_method: machine.auth }
        : {
            jwks: { keys: [machine.publicKey] },
            token_endpoint_auth_method: 'private_key_jwt' as const,
            token_endpoint_auth_signing_alg: 'ES256' as const,
          }),
    })),
    scopes: [...new Set(machines.map(({ scope }) => scope))],
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    cookies: { keys: ['only-for-tests'] },
    jwks: { keys: [{ ...signingKey, kid: 'machines-1', use: 'sig', alg: 'RS256' }] },
    ttl: { ClientCredentials: 600 },
  });
  const issued: string[] = [];
  provider.on('grant.success', (context) => {
    const { body } = context;
    if (typeof body === 'object' && body !== null && 'access_token' in body) {
      issued.push(String(body.access_token));
    }
  });
  const listener = provider.callback();
  return {
    url: `${issuer}/token`,
    issued,
    async takes(token, scope) {
      const found = await provider.ClientCredentials.find(token);
      return found?.isValid === true && found.scope === scope;
    },
    async revoke(token) {
      await (await provider.ClientCredentials.find(token))?.destroy();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
