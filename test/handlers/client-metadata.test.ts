import { expect, test } from 'vitest';
import { CLOSED_REGISTRATION, type Registration } from '../../functions/core/open-client.ts';
import { clientMetadata } from '../../functions/handlers/client-metadata.ts';
import { identityProvider } from '../support/logins.ts';
import { policyOf } from '../support/policies.ts';
import { ORIGIN } from '../support/test-issuer.ts';

const open: Registration = { ...CLOSED_REGISTRATION, metadataDocuments: true, dynamic: true };

function metadataOf(registration: Registration, hasLogin = true) {
  const policy = policyOf({ registration, idps: hasLogin ? [identityProvider('corp')] : [] });
  return clientMetadata({ origin: ORIGIN, policy, hasLogin: policy.hasLogin });
}

test('every way to authenticate is listed, with the algorithms of assertions', () => {
  const methods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'];
  expect(metadataOf(CLOSED_REGISTRATION)).toEqual({
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: ['RS256', 'PS256', 'ES256'],
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: ['RS256', 'PS256', 'ES256'],
  });
});

test.for<readonly [string, Registration, object]>([
  [
    'both',
    open,
    { client_id_metadata_document_supported: true, registration_endpoint: `${ORIGIN}/oauth/register` },
  ],
  ['documents', { ...open, dynamic: false }, { client_id_metadata_document_supported: true }],
  [
    'registering',
    { ...open, metadataDocuments: false },
    { registration_endpoint: `${ORIGIN}/oauth/register` },
  ],
  ['neither', CLOSED_REGISTRATION, {}],
])('of how one can be a client without an entry is listed: %s', ([, registration, listed]) => {
  const { client_id_metadata_document_supported, registration_endpoint } = metadataOf(registration);
  const found = { client_id_metadata_document_supported, registration_endpoint };
  expect(JSON.parse(JSON.stringify(found))).toEqual(listed);
});

test('where nobody can log in, nothing is said of clients that act for users alone', () => {
  const metadata = metadataOf(open, false);
  expect(metadata['token_endpoint_auth_methods_supported']).not.toContain('none');
  expect(Object.keys(metadata)).not.toContain('client_id_metadata_document_supported');
  expect(Object.keys(metadata)).not.toContain('registration_endpoint');
});
