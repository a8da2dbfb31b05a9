import { expect, test } from 'vitest';
import { serverMetadata } from '../../../functions/handlers/server-metadata.ts';
import { identityProvider } from '../../support/logins.ts';
import { policyOf } from '../../support/policies.ts';
import { ORIGIN } from '../../support/test-issuer.ts';

const URN = 'urn:ietf:params:oauth:';
const JWT_BEARER = `${URN}grant-type:jwt-bearer`;
const EXCHANGE = `${URN}grant-type:token-exchange`;
const PROFILES = 'authorization_grant_profiles_supported';

test('every grant is listed that is built and that this deployment can give', () => {
  const withLogin = serverMetadata(ORIGIN, policyOf({ idps: [identityProvider('corp')] }));
  expect(withLogin).toMatchObject({
    grant_types_supported: [
      'client_credentials',
      'authorization_code',
      'refresh_token',
      EXCHANGE,
      JWT_BEARER,
    ],
    introspection_endpoint: `${ORIGIN}/oauth/introspect`,
    introspection_endpoint_auth_methods_supported: expect.not.arrayContaining(['none']),
    [PROFILES]: [`${URN}grant-profile:id-jag`],
  });
  const without = serverMetadata(ORIGIN, policyOf());
  expect(without).toMatchObject({ grant_types_supported: ['client_credentials', EXCHANGE] });
  expect(without).not.toHaveProperty(PROFILES);
});
