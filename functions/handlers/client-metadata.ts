import { FOREIGN_ALGORITHMS } from '../core/foreign-algorithm.ts';
import type { Policy } from '../core/policy.ts';

/**
 * What the metadata of the authorization server says of clients (RFC 8414 §2, RFC 7591 §3, draft-ietf-oauth-client-id-metadata-document
 * §5): how they authenticate, and how one can be a client without an entry. Public clients and those without an entry act for users
 * alone, so that nothing is said of them where no user can log in.
 */
export function clientMetadata({
  origin,
  policy,
  hasLogin,
}: {
  readonly origin: string;
  readonly policy: Policy;
  readonly hasLogin: boolean;
}): Readonly<Record<string, unknown>> {
  const methods = [
    'client_secret_basic',
    'client_secret_post',
    'private_key_jwt',
    ...(hasLogin ? ['none'] : []),
  ];
  return {
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: FOREIGN_ALGORITHMS,
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: FOREIGN_ALGORITHMS,
    ...(hasLogin && policy.registration.metadataDocuments
      ? { client_id_metadata_document_supported: true }
      : {}),
    ...(acceptsRegistrations(policy) ? { registration_endpoint: `${origin}/oauth/register` } : {}),
  };
}

/** Can a client register itself here, and then do anything? */
export function acceptsRegistrations(policy: Policy): boolean {
  return policy.hasLogin && policy.registration.dynamic;
}
