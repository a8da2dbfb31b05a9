import { FOREIGN_ALGORITHMS } from '../../core/foreign-algorithm.ts';
import type { Policy } from '../../core/policy.ts';

/** What the metadata says of introspection (RFC 8414 §2), and of assertions where an identity provider can make one. */
export function tokenMetadata({
  origin,
  policy,
}: {
  readonly origin: string;
  readonly policy: Policy;
}): Readonly<Record<string, unknown>> {
  return {
    introspection_endpoint: `${origin}/oauth/introspect`,
    // Public clients learn nothing there.
    introspection_endpoint_auth_methods_supported: [
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
    ],
    introspection_endpoint_auth_signing_alg_values_supported: FOREIGN_ALGORITHMS,
    ...(policy.hasAssertions
      ? { authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'] }
      : {}),
  };
}
