import { afterEach, beforeEach, expect, test } from 'vitest';
import { err } from '../../functions/core/result.ts';
import { checkSetup } from '../../functions/handlers/setup-check.ts';
import { type IssuerApp, startIssuerApp } from '../support/issuer-app.ts';
import { identityProvider } from '../support/logins.ts';
import { policyOf } from '../support/policies.ts';

const SECRET = 'sallyport/prod/env/CORP';
const policy = policyOf({
  idps: [
    identityProvider('corp', { clientSecretName: 'sallyport/{stage}/env/CORP' }),
    identityProvider('public'),
    identityProvider('gate', { clientSecretName: 'sallyport/{stage}/env/GATE', login: false }),
  ],
});
const down = (detail: string) => () => Promise.resolve(err({ reason: 'unavailable', detail } as const));

let app: IssuerApp;

beforeEach(async () => {
  app = await startIssuerApp(policy);
});
afterEach(() => app.close());

test('nothing is missing where tokens can be signed and every provider has its secret', async () => {
  app.secrets.set(SECRET, 'word');
  expect(await checkSetup(app.ports)).toEqual({ problems: [] });
});

test('a secret without a value is named, of a provider at which people log in', async () => {
  expect(await checkSetup(app.ports)).toEqual({
    problems: [`nobody can log in at \`corp\`: the secret \`${SECRET}\` is missing`],
  });
});

test('a key that does not sign is said, and a policy that cannot be read', async () => {
  const { signingKey } = app.ports;
  const ports = {
    ...app.ports,
    signingKey: { ...signingKey, sign: down('kms Sign with A1: DisabledException') },
  };
  app.secrets.set(SECRET, 'word');
  expect(await checkSetup(ports)).toEqual({
    problems: ['no token can be signed: kms Sign with A1: DisabledException'],
  });
  const keyless = { ...app.ports, keys: { publish: down('no key') }, rulebook: { read: down('no table') } };
  expect(await checkSetup(keyless)).toEqual({
    problems: ['no token can be signed: no key', 'the policy cannot be read: no table'],
  });
});
