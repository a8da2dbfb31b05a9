import { describe, expect, test } from 'vitest';
import { render, resources, synthesize } from './synthesized.ts';

const template = synthesize();

describe('tables', () => {
  const tables = resources(template, 'AWS::DynamoDB::GlobalTable');

  test('there are three: auth, audit and context', () => {
    expect(tables.map(({ id }) => id.slice(0, -8)).sort()).toEqual([
      'StorageAuditTable',
      'StorageAuthTable',
      'StorageContextTable',
    ]);
  });

  test.for(tables)(
    '$id survives mistakes: point-in-time recovery, deletion protection, retained',
    (table) => {
      expect(table.properties.Replicas).toHaveLength(1);
      expect(table.properties.Replicas[0]).toMatchObject({
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      });
      expect(table.resource).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    },
  );

  test.for(tables)(
    '$id is keyed by pk and sk, forgets by expires_at and is paid by request',
    ({ properties }) => {
      expect(properties).toMatchObject({
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        TimeToLiveSpecification: { AttributeName: 'expires_at', Enabled: true },
      });
      expect(properties).not.toHaveProperty('GlobalSecondaryIndexes');
    },
  );
});

/** Two slots of each. */
const SLOTS = [
  'StorageIdentityKeySlotA',
  'StorageIdentityKeySlotB',
  'StorageIssuerKeySlotA',
  'StorageIssuerKeySlotB',
];

function signingKeys(of: typeof template) {
  return resources(of, 'AWS::KMS::Key').filter(({ properties }) => properties.KeyUsage === 'SIGN_VERIFY');
}

test('one key wraps the data keys of connections: symmetric, rotated every year, outliving the stack', () => {
  const keys = resources(template, 'AWS::KMS::Key').filter(
    ({ properties }) => properties.KeyUsage !== 'SIGN_VERIFY',
  );
  expect(keys.map(({ id }) => id.slice(0, -8))).toEqual(['StorageConnectionKey']);
  expect(keys[0]?.properties).toMatchObject({
    KeySpec: 'SYMMETRIC_DEFAULT',
    KeyUsage: 'ENCRYPT_DECRYPT',
    EnableKeyRotation: true,
  });
  expect(keys[0]?.resource).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
});

describe('signing keys', () => {
  test('are RSA keys that only sign and that outlive the stack', () => {
    const keys = signingKeys(template);
    expect(keys.map(({ id }) => id.slice(0, -8)).sort()).toEqual(SLOTS);
    for (const { properties, resource } of keys) {
      expect(properties).toMatchObject({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
      expect(resource).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    }
  });

  test('a generation gives its slot a fresh key, which is told by its name, and changes no other', () => {
    const raised = synthesize({ issuerKeyB: '2', identityKeyA: 3 });
    const ids = signingKeys(raised).map(({ id }) => id.slice(0, -8));
    expect(ids.sort()).toEqual([
      'StorageIdentityKeySlotA3',
      'StorageIdentityKeySlotB',
      'StorageIssuerKeySlotA',
      'StorageIssuerKeySlotB2',
    ]);
    const issuer = resources(raised, 'AWS::Lambda::Function').find(({ id }) =>
      /^Issuer[0-9A-F]{8}$/.test(id),
    );
    const { ISSUER_KEY_ARNS, IDENTITY_KEY_ARNS } = issuer?.properties.Environment.Variables ?? {};
    expect(render(ISSUER_KEY_ARNS)).toBe('A1={StorageIssuerKeySlotA.Arn},B2={StorageIssuerKeySlotB2.Arn}');
    expect(render(IDENTITY_KEY_ARNS)).toBe(
      'A3={StorageIdentityKeySlotA3.Arn},B1={StorageIdentityKeySlotB.Arn}',
    );
  });

  test('are used by ARN: an alias could move under a key id', () => {
    template.resourceCountIs('AWS::KMS::Alias', 0);
  });
});

describe('the sealing secret', () => {
  test('is 64 hexadecimal digits that nobody has seen', () => {
    const [secret] = resources(template, 'AWS::SecretsManager::Secret');
    const { GenerateSecretString: generate, ...rest } = secret?.properties ?? {};
    expect(generate).toMatchObject({ PasswordLength: 64, ExcludePunctuation: true, ExcludeUppercase: true });
    const excluded: string = generate.ExcludeCharacters;
    const alphabet = [...'abcdefghijklmnopqrstuvwxyz0123456789'].filter(
      (letter) => !excluded.includes(letter),
    );
    expect(alphabet.join('')).toBe('abcdef0123456789');
    expect(rest).not.toHaveProperty('SecretString');
  });

  test('is named by the stage', () => {
    synthesize({ stage: 'staging' }).hasResourceProperties('AWS::SecretsManager::Secret', {
      Name: 'sallyport/staging/sealing',
    });
  });
});
