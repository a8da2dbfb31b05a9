import { z } from 'zod';

/** A client of the issuer at `origin`, registered with the grant `client_credentials` and a secret. */
export type TokenSourceOptions = {
  readonly origin: string;
  readonly clientId: string;
  readonly clientSecret: string;
};

/** Access tokens of this server's own. `forget` drops the one that was just refused. */
export type TokenSource = { get(): Promise<string>; forget(): void };

const TokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });
const RENEW_BEFORE_MS = 30_000;
const TIMEOUT_MS = 10_000;

/**
 * Gets access tokens by `client_credentials` (RFC 6749 §4.4) and keeps one until 30 s before it expires. Calls at the
 * same time share one request. `get` rejects where the issuer refuses or cannot be reached; a failure is not kept.
 */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  let current: { readonly token: Promise<string>; renewAtMs: number } | undefined;
  return {
    get() {
      if (current !== undefined && Date.now() < current.renewAtMs) return current.token;
      const next = { token: Promise.resolve(''), renewAtMs: Number.POSITIVE_INFINITY };
      next.token = request(options).then(
        (answer) => {
          next.renewAtMs = Date.now() + answer.expires_in * 1000 - RENEW_BEFORE_MS;
          return answer.access_token;
        },
        (error: unknown) => {
          next.renewAtMs = 0;
          throw error;
        },
      );
      current = next;
      return next.token;
    },
    forget() {
      current = undefined;
    },
  };
}

async function request({ origin, clientId, clientSecret }: TokenSourceOptions) {
  const credential = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`;
  const response = await fetch(`${origin}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(credential).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const answer = TokenAnswer.safeParse(await response.json().catch(() => undefined));
  if (!response.ok || !answer.success) {
    throw new Error(`the token endpoint answered ${response.status}`);
  }
  return answer.data;
}
