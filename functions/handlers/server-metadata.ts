import type { Policy } from '../core/policy.ts';
import { clientMetadata } from './client-metadata.ts';
import { tokenMetadata } from './grants/metadata.ts';
import { GRANTS } from './token-endpoint.ts';

/** What is switched on, as the rows see it. */
type Deployment = {
  readonly origin: string;
  readonly policy: Policy;
  /** Can a user log in anywhere? */
  readonly hasLogin: boolean;
};

/** One capability's part of the metadata; nothing while it is switched off. */
type Row = (deployment: Deployment) => Readonly<Record<string, unknown>>;

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** Grant types for which a user logs in. */
const GRANTS_OF_LOGIN: ReadonlySet<string> = new Set(['authorization_code', 'refresh_token']);

const endpoints: Row = ({ origin }) => ({
  issuer: origin,
  // Clients take metadata without an authorization endpoint for broken. Without a login it says so, and so do the response types.
  authorization_endpoint: `${origin}/oauth/authorize`,
  token_endpoint: `${origin}/oauth/token`,
  revocation_endpoint: `${origin}/oauth/revoke`,
  jwks_uri: `${origin}/.well-known/jwks.json`,
});

const grants: Row = ({ policy, hasLogin }) => ({
  grant_types_supported: [...GRANTS.keys()].filter((grant) =>
    grant === JWT_BEARER ? policy.hasAssertions : hasLogin || !GRANTS_OF_LOGIN.has(grant),
  ),
});

const login: Row = ({ hasLogin }) =>
  hasLogin
    ? {
        response_types_supported: ['code'],
        response_modes_supported: ['query'],
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: true,
      }
    : { response_types_supported: [] };

/** Every capability that shows in the metadata. */
const ROWS: readonly Row[] = [endpoints, grants, tokenMetadata, login, clientMetadata];

/** The metadata of the authorization server (RFC 8414 §2): what is built, as far as this policy switches it on. */
export function serverMetadata(origin: string, policy: Policy): Readonly<Record<string, unknown>> {
  const deployment: Deployment = { origin, policy, hasLogin: policy.hasLogin };
  return Object.assign({}, ...ROWS.map((row) => row(deployment)));
}
