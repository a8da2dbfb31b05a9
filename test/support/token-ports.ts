import type { OAuthTokenPorts } from '../../functions/handlers/credentials/oauth-tokens.ts';

/** Where no secret is of the type `oauth2`, no token endpoint is asked. */
export const NO_TOKEN_ENDPOINT: Pick<OAuthTokenPorts, 'upstream' | 'randomId'> = {
  upstream: { send: () => Promise.reject(new Error('no token endpoint is asked here')) },
  randomId: () => 'never used',
};
