import { describe, expect, test } from 'vitest';
import { grants, keyStatements, listOf, rolesWith, type Statement, template } from './grants.ts';
import { render, resources } from './synthesized.ts';

describe('secrets', () => {
  test('only the gateway reads credentials', () => {
    const reads = rolesWith(
      ({ action, resource }) =>
        action === 'secretsmanager:GetSecretValue' && resource.includes('/credentials'),
    );
    expect(reads).toEqual(['{GatewayRole}']);
  });

  test('only the issuer reads client secrets', () => {
    expect(rolesWith(({ resource }) => resource.includes('/clients'))).toEqual(['{IssuerRole}']);
  });

  test('only control can list, change or describe a secret, and no client’s, no `env` and none of the deployment', () => {
    const changes = grants.filter(
      ({ action }) => action.startsWith('secretsmanager:') && action !== 'secretsmanager:GetSecretValue',
    );
    expect(new Set(changes.map(({ role }) => role))).toEqual(new Set(['{ControlRole}']));
    for (const { action, resource } of changes) {
      expect([action, resource]).toEqual(
        action === 'secretsmanager:ListSecrets'
          ? [action, '*']
          : [action, expect.stringMatching(/:secret:sallyport\/prod\/(?:credentials|providers)\/\*$/)],
      );
    }
  });

  test('nobody can delete one at once: without a window of a week it is not allowed', () => {
    const deletes = grants.filter(({ action }) => /^secretsmanager:(?:\*|Delete)/.test(action));
    expect(deletes.length).toBeGreaterThan(0);
    for (const { statement } of deletes) {
      expect(statement).toMatchObject({
        Effect: 'Allow',
        Condition: { NumericGreaterThanEquals: { 'secretsmanager:RecoveryWindowInDays': '7' } },
      });
    }
  });

  test('only those that redeem or refresh for users read our secrets at providers', () => {
    const reads = rolesWith(
      ({ action, resource }) => action === 'secretsmanager:GetSecretValue' && resource.includes('/providers'),
    );
    expect(reads).toEqual(['{ControlRole}', '{GatewayRole}']);
  });
});

describe('keys', () => {
  test.for([
    ['StorageIssuerKeySlotA', '{IssuerRole}'],
    ['StorageIssuerKeySlotB', '{IssuerRole}'],
    ['StorageIdentityKeySlotA', '{GatewayRole}'],
    ['StorageIdentityKeySlotB', '{GatewayRole}'],
  ] as const)('%s is used for signing by %s alone, in the role and in the key policy', ([key, role]) => {
    expect(rolesWith(({ action, resource }) => action === 'kms:Sign' && resource === `{${key}.Arn}`)).toEqual(
      [role],
    );
    const signing = keyStatements.filter(
      (entry) => entry.key === key && listOf(entry.statement.Action).includes('kms:Sign'),
    );
    expect(signing.map(({ statement }) => render(statement.Principal?.AWS))).toEqual([
      role.replace('}', '.Arn}'),
    ]);
    expect(signing.map(({ statement }) => statement.Condition)).toEqual([
      { StringEquals: { 'kms:SigningAlgorithm': 'RSASSA_PKCS1_V1_5_SHA_256' } },
    ]);
  });

  test('an account administrator can manage a key but neither sign with it nor grant that it is used', () => {
    const administration = keyStatements.filter(({ statement }) => statement.Sid === 'Administration');
    expect(administration).toHaveLength(5);
    for (const { statement } of administration) {
      expect(listOf(statement.Action)).toContain('kms:PutKeyPolicy');
      for (const use of [
        'kms:Sign',
        'kms:Decrypt',
        'kms:Encrypt',
        'kms:GenerateDataKey',
        'kms:CreateGrant',
      ]) {
        expect(listOf(statement.Action)).not.toContain(use);
      }
    }
  });

  test('the key of connections wraps and unwraps for functions alone, and for a whole context alone', () => {
    const uses = keyStatements.filter(
      ({ key, statement }) =>
        key === 'StorageConnectionKey' && listOf(statement.Action).includes('kms:Decrypt'),
    );
    const users = uses.flatMap(({ statement }) => [statement.Principal?.AWS].flat().map(render));
    expect(users.sort()).toEqual(['{ControlRole.Arn}', '{GatewayRole.Arn}']);
    for (const { statement } of uses) {
      expect([...listOf(statement.Action)].sort()).toEqual(['kms:Decrypt', 'kms:GenerateDataKey']);
      expect(statement.Condition).toEqual({
        'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['org', 'subject', 'provider'] },
        Null: {
          'kms:EncryptionContext:org': 'false',
          'kms:EncryptionContext:subject': 'false',
          'kms:EncryptionContext:provider': 'false',
        },
      });
    }
  });
});

describe('tables', () => {
  test('audit records can be put, and read by two functions; nobody changes, deletes or scans', () => {
    const onAudit = grants.filter(({ resource }) => resource === '{StorageAuditTable.Arn}');
    const actions = onAudit.map(({ action }) => action);
    expect(new Set(actions)).toEqual(new Set(['dynamodb:PutItem', 'dynamodb:Query']));
    const readers = onAudit.filter(({ action }) => action === 'dynamodb:Query').map(({ role }) => role);
    expect(readers.sort()).toEqual(['{ControlRole}', '{IssuerRole}']);
    for (const { statement } of onAudit) {
      expect(statement.Condition?.['Null']).toEqual({ 'dynamodb:LeadingKeys': 'false' });
    }
  });

  test('only the issuer, which alone can sign one, puts a checkpoint', () => {
    const putters = rolesWith(
      ({ action, partitions }) =>
        action === 'dynamodb:PutItem' && Array.isArray(partitions) && partitions.includes('CHECKPOINT#*'),
    );
    expect(putters).toEqual(['{IssuerRole}']);
  });

  test('only the issuer keeps which checkpoint was its newest, and control reads it, in another table', () => {
    const onWitness = grants.filter(
      ({ partitions }) => Array.isArray(partitions) && partitions.includes('WITNESS#*'),
    );
    expect(onWitness.map(({ role, action }) => `${role} ${action.replace('dynamodb:', '')}`).sort()).toEqual(
      ['{ControlRole}', '{IssuerRole}']
        .flatMap((role) => ['BatchGetItem', 'GetItem', 'Query'].map((action) => `${role} ${action}`))
        .concat('{IssuerRole} PutItem')
        .sort(),
    );
    expect(new Set(onWitness.map(({ resource }) => resource))).toEqual(new Set(['{StorageAuthTable.Arn}']));
  });

  test('every right on the auth table names its partitions, and an absent key is refused', () => {
    const onAuth = grants.filter(({ resource }) => resource === '{StorageAuthTable.Arn}');
    expect(onAuth.length).toBeGreaterThan(0);
    for (const { statement, partitions } of onAuth) {
      expect(partitions).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^(?:POLICY|KEYS|REVOCATION#\*|COUNT#\*|LIMIT#\*|CONNECTION#\*)$/),
        ]),
      );
      expect(statement.Condition?.['Null']).toEqual({ 'dynamodb:LeadingKeys': 'false' });
    }
  });

  test('only control writes the policy, and only the issuer writes the public keys', () => {
    const writers = (partition: string) =>
      rolesWith(
        ({ action, partitions }) =>
          action === 'dynamodb:PutItem' && Array.isArray(partitions) && partitions.includes(partition),
      );
    expect(writers('POLICY')).toEqual(['{ControlRole}']);
    expect(writers('KEYS')).toEqual(['{IssuerRole}']);
    expect(writers('REVOCATION#*')).toEqual(['{IssuerRole}']);
  });

  test('only a session of the data role reaches documents, in the partition of its tags alone', () => {
    const onContext = grants.filter(({ resource }) => resource.includes('ContextTable'));
    expect(rolesWith((grant) => onContext.includes(grant))).toEqual(['{ContextDataRole}']);
    for (const { statement } of onContext) {
      expect(statement.Condition).toEqual({
        'ForAllValues:StringEquals': {
          // biome-ignore lint/suspicious/noTemplateCurlyInString: variables of IAM
          'dynamodb:LeadingKeys': '${aws:PrincipalTag/org}#${aws:PrincipalTag/namespace}',
        },
        Null: { 'dynamodb:LeadingKeys': 'false' },
      });
    }
  });

  test('only the context store begins such a session, with the tags of a tenant and no others', () => {
    const sessions = {
      'ForAllValues:StringEquals': { 'aws:TagKeys': ['org', 'namespace'] },
      Null: { 'aws:RequestTag/org': 'false', 'aws:RequestTag/namespace': 'false' },
    };
    const beginning = grants.filter(({ action }) => action.startsWith('sts:'));
    expect(rolesWith((grant) => beginning.includes(grant))).toEqual(['{ContextStoreRole}']);
    for (const { statement } of beginning) expect(statement.Condition).toEqual(sessions);
    const [role] = resources(template, 'AWS::IAM::Role').filter(({ id }) => id.startsWith('ContextDataRole'));
    const trust: Statement[] = role?.properties.AssumeRolePolicyDocument.Statement;
    expect(trust.flatMap(({ Action }) => listOf(Action))).toEqual(['sts:AssumeRole', 'sts:TagSession']);
    for (const statement of trust) {
      expect(render(statement.Principal?.AWS)).toBe('{ContextStoreRole.Arn}');
      expect(statement.Condition).toEqual(sessions);
    }
  });

  test('no index is reachable: a decision on one could be poisoned', () => {
    expect(grants.filter(({ resource }) => resource.includes('/index'))).toEqual([]);
  });
});

describe('functions are invoked', () => {
  test('by this API, each from its own methods, and the issuer by its schedule', () => {
    const permissions = resources(template, 'AWS::Lambda::Permission').map(({ properties }) => properties);
    const ofEvents = permissions.filter(({ Principal }) => Principal !== 'apigateway.amazonaws.com');
    expect(
      ofEvents.map((given) => [given.Principal, render(given.FunctionName), render(given.SourceArn)]),
    ).toEqual([['events.amazonaws.com', '{Issuer.Arn}', '{CheckpointSchedule.Arn}']]);
    for (const properties of permissions.filter((given) => !ofEvents.includes(given))) {
      expect(render(properties.SourceArn)).toMatch(
        /^arn:\{AWS::Partition\}:execute-api:\{AWS::Region\}:\{AWS::AccountId\}:\{ApiRest\}\/(?:authorizers\/\{ApiTokenAuthorizer\}|\{ApiRestDeploymentStageprod\}\/\S+)$/,
      );
    }
  });
});
