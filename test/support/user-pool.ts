import { type ForeignTestKey, makeRsaKey, signForeign } from './foreign-issuer.ts';
import { type RecordedRequest, startRecordingServer } from './recording-server.ts';
import type { Changes } from './test-issuer.ts';

/** User pools of the shape of Cognito's on loopback, all with the same key: `{origin}/{pool id}` is the issuer of each. */
export type UserPools = {
  issuerOf(poolId: string): string;
  /** The requests for keys so far. */
  readonly seen: readonly RecordedRequest[];
  /** An access token of a client by itself, as Cognito gives it, but for the changes. */
  token(poolId: string, clientId: string, claims?: Changes, header?: Changes): string;
  close(): Promise<void>;
};

/** Starts them. Times in tokens are those of the machine, for the cloud under test has no other clock. */
export async function startUserPools(): Promise<UserPools> {
  const key: ForeignTestKey = makeRsaKey({ alg: 'RS256', kid: 'pool-key' });
  const jwks = JSON.stringify({ keys: [key.published] });
  const server = await startRecordingServer(({ url }, answer) => {
    const isKnown = /^\/[a-z]+-[a-z]+-[0-9]_[A-Za-z0-9]+\/\.well-known\/jwks\.json$/.test(url);
    answer.writeHead(isKnown ? 200 : 404, { 'content-type': 'application/json' }).end(isKnown ? jwks : '');
  });
  const issuerOf = (poolId: string) => `${server.origin}/${poolId}`;
  let count = 0;
  return {
    issuerOf,
    seen: server.seen,
    token(poolId, clientId, claims = {}, header = {}) {
      const nowSeconds = Math.floor(Date.now() / 1000);
      count += 1;
      const all = {
        sub: clientId,
        token_use: 'access',
        scope: '',
        auth_time: nowSeconds,
        iss: issuerOf(poolId),
        exp: nowSeconds + 3_600,
        iat: nowSeconds,
        version: 2,
        jti: `pool-token-${count}`,
        client_id: clientId,
        ...claims,
      };
      return signForeign(key, all, { typ: undefined, ...header });
    },
    close: () => server.close(),
  };
}
