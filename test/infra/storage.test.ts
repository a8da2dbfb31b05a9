import { describe, expect, test } from 'vitest';
import { resources, synthesize } from './synthesized.ts';

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

describe('signing keys', () => {
  test('are RSA keys that only sign and that outlive the stack', () => {
    const keys = resources(template, 'AWS::KMS::Key');
    expect(keys).toHaveLength(2);
    for (const { properties, resource } of keys) {
      expect(properties).toMatchObject({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
      expect(resource).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    }
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
