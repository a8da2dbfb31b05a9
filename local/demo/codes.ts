import { createHash, randomBytes } from 'node:crypto';

/** The one client of a demo's authorization server, which is public; PKCE alone tells who redeems a code. */
export const DEMO_CLIENT = 'sallyport';

const CODE_MS = 60_000;
const MAX_CODES = 100;

/** Authorization codes of a demo's server: each is redeemed once, within a minute, by whoever asked for it (RFC 7636). */
export type Codes<T> = {
  /** Is it a request of the demo's gateway? Nobody else is ever sent anywhere. */
  isOurs(query: URLSearchParams): boolean;
  /** Sends the browser back with a code that stands for `value`. */
  issue(query: URLSearchParams, value: T): Response;
  /** Sends the browser back without one. */
  refuse(query: URLSearchParams): Response;
  /** What a code stands for; undefined where it does not hold. */
  redeem(form: URLSearchParams): T | undefined;
};

/** Codes that lead back to one place. `issuer` names the server, and is asked for when it is needed. */
export function createCodes<T>(redirectUri: string, issuer: () => string): Codes<T> {
  const issued = new Map<
    string,
    { readonly value: T; readonly codeChallenge: string; readonly endsAtMs: number }
  >();

  const answer = (query: URLSearchParams, members: Readonly<Record<string, string>>): Response => {
    const parameters = new URLSearchParams({ ...members, state: query.get('state') ?? '', iss: issuer() });
    return new Response(null, { status: 303, headers: { location: `${redirectUri}?${parameters}` } });
  };

  return {
    isOurs: (query) =>
      query.get('client_id') === DEMO_CLIENT &&
      query.get('response_type') === 'code' &&
      query.get('redirect_uri') === redirectUri &&
      query.get('code_challenge_method') === 'S256' &&
      /^[A-Za-z0-9_-]{43}$/.test(query.get('code_challenge') ?? ''),

    issue(query, value) {
      const code = randomBytes(32).toString('base64url');
      for (const [oldest] of issued) if (issued.size >= MAX_CODES) issued.delete(oldest);
      const codeChallenge = query.get('code_challenge') ?? '';
      issued.set(code, { value, codeChallenge, endsAtMs: Date.now() + CODE_MS });
      return answer(query, { code });
    },

    refuse: (query) => answer(query, { error: 'access_denied' }),

    redeem(form) {
      const code = form.get('code') ?? '';
      const found = issued.get(code);
      issued.delete(code);
      const digest = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url');
      const isAsked = form.get('client_id') === DEMO_CLIENT && form.get('redirect_uri') === redirectUri;
      const holds = found !== undefined && found.codeChallenge === digest && Date.now() < found.endsAtMs;
      return isAsked && holds ? found.value : undefined;
    },
  };
}
