import type { AcceptedIdp } from '../../functions/core/identity-provider.ts';

/** The user pool of {@link cognitoEntry}. */
export const USER_POOL = { id: 'eu-central-1_AbC123', region: 'eu-central-1' } as const;

/** An IdP of `acme` whose access tokens for the clients `robot` and `desk` are taken; a user pool of Cognito, but for the changes. */
export function cognitoEntry(
  changes: Partial<AcceptedIdp> & { readonly accepts?: Partial<AcceptedIdp['acceptAccessTokens']> } = {},
): AcceptedIdp {
  const { accepts, ...others } = changes;
  const issuer = `https://cognito-idp.${USER_POOL.region}.amazonaws.com/${USER_POOL.id}`;
  return {
    name: 'cognito',
    displayName: 'Cognito',
    org: 'acme',
    private: false,
    clientId: 'login',
    clientSecretName: undefined,
    tokenAuth: 'client_secret_post',
    authUrl: 'https://pool.auth.eu-central-1.amazoncognito.com/oauth2/authorize',
    tokenUrl: 'https://pool.auth.eu-central-1.amazoncognito.com/oauth2/token',
    scopes: ['openid'],
    usernameClaim: 'email',
    proof: {
      kind: 'id_token',
      issuer,
      jwksUrl: `${issuer}/.well-known/jwks.json`,
      groupsClaim: 'cognito:groups',
    },
    acceptAccessTokens: { clientIds: ['robot', 'desk'], audience: undefined, ...accepts },
    ...others,
  };
}
