import { describe, expect, test } from 'vitest';
import { render, resources, synthesize } from './synthesized.ts';

type Statement = {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Principal?: { readonly AWS?: unknown; readonly Service?: unknown };
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

const template = synthesize();

/** Everything that the template lets a role do, one entry per action and resource, by the name of the role. */
const grants = resources(template, 'AWS::IAM::Policy').flatMap(({ properties }) => {
  const statements: Statement[] = properties.PolicyDocument.Statement;
  return statements.flatMap((statement) =>
    listOf(statement.Action).flatMap((action) =>
      listOf(statement.Resource).map((resource) => ({
        role: render(properties.Roles),
        action,
        resource: render(resource),
        partitions: statement.Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'],
        statement,
      })),
    ),
  );
});

const keyStatements = resources(template, 'AWS::KMS::Key').flatMap(({ id, properties }) => {
  const statements: Statement[] = properties.KeyPolicy.Statement;
  return statements.map((statement) => ({ key: id.slice(0, -8), statement }));
});

function listOf<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value];
}

function rolesWith(predicate: (grant: (typeof grants)[number]) => boolean): string[] {
  return [...new Set(grants.filter(predicate).map(({ role }) => role))].sort();
}

const SECRETS = 'arn:{AWS::Partition}:secretsmanager:{AWS::Region}:{AWS::AccountId}:secret:sallyport/prod';

/** The only wildcards in resources; the reason for each is beside its acknowledgement in `infra/`. */
const OPEN_ENDED = [`{IssuerRole} ${SECRETS}/clients/*`, `{GatewayRole} ${SECRETS}/credentials/*`];

/** All rights of all functions but the one to write their own log. */
// biome-ignore format: one row per right
const RIGHTS: Readonly<Record<string, string[]>> = {
  '{AuthorizerRole}': [
    ...readsAuth(),
    'dynamodb:PutItem {StorageAuditTable.Arn}',
  ],
  '{IssuerRole}': [
    ...readsAuth(),
    'dynamodb:PutItem {StorageAuthTable.Arn} KEYS,REVOCATION#*',
    'dynamodb:PutItem {StorageAuditTable.Arn}',
    'kms:Sign {StorageIssuerKeySlotA.Arn}',
    'kms:GetPublicKey {StorageIssuerKeySlotA.Arn}',
    'kms:GetPublicKey {StorageIdentityKeySlotA.Arn}',
    `secretsmanager:GetSecretValue ${SECRETS}/clients/*`,
  ],
  '{GatewayRole}': [
    ...readsAuth(),
    'dynamodb:PutItem {StorageAuditTable.Arn}',
    'kms:Sign {StorageIdentityKeySlotA.Arn}',
    'kms:GetPublicKey {StorageIdentityKeySlotA.Arn}',
    `secretsmanager:GetSecretValue ${SECRETS}/credentials/*`,
    'secretsmanager:GetSecretValue {StorageSealingSecret}',
  ],
  '{ContextStoreRole}': [
    ...readsAuth(),
    'dynamodb:PutItem {StorageAuditTable.Arn}',
    ...['BatchGetItem', 'BatchWriteItem', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'].map(
      (operation) => `dynamodb:${operation} {StorageContextTable.Arn}`,
    ),
    'secretsmanager:GetSecretValue {StorageSealingSecret}',
  ],
  '{ControlRole}': [
    ...readsAuth(),
    'dynamodb:PutItem {StorageAuthTable.Arn} POLICY,REVOCATION#*',
    'dynamodb:PutItem {StorageAuditTable.Arn}',
  ],
};

function readsAuth(): string[] {
  return ['BatchGetItem', 'GetItem', 'Query'].map(
    (operation) => `dynamodb:${operation} {StorageAuthTable.Arn} POLICY,KEYS,REVOCATION#*`,
  );
}

describe('roles', () => {
  test.for(Object.entries(RIGHTS))('%s may do exactly what its row says', ([role, rights]) => {
    const actual = grants
      .filter((grant) => grant.role === role && !grant.action.startsWith('logs:'))
      .map(({ action, resource, partitions }) =>
        [action, resource, ...(partitions === undefined ? [] : [String(partitions)])].join(' '),
      );
    expect(actual.sort()).toEqual([...rights].sort());
  });

  test('only the five functions have rights, and each writes its own log alone', () => {
    expect(rolesWith(() => true)).toEqual(Object.keys(RIGHTS).sort());
    for (const { role, resource } of grants.filter(({ action }) => action.startsWith('logs:'))) {
      expect(resource).toBe(role.replace('Role}', 'Log.Arn}'));
    }
  });

  test('no action is a wildcard, anywhere', () => {
    const statements = [
      ...grants.map(({ statement }) => statement),
      ...keyStatements.map(({ statement }) => statement),
    ];
    expect(
      statements.flatMap(({ Action }) => listOf(Action)).filter((action) => action.includes('*')),
    ).toEqual([]);
    expect(
      statements.filter((statement) => statement.Effect !== 'Allow' || 'NotAction' in statement),
    ).toEqual([]);
  });

  test('no resource is a wildcard but the acknowledged ones', () => {
    const wildcards = grants.filter(({ resource }) => resource.includes('*'));
    expect(wildcards.map(({ role, resource }) => `${role} ${resource}`).sort()).toEqual(OPEN_ENDED.sort());
  });

  test('no role of a function has a managed policy', () => {
    const roles = resources(template, 'AWS::IAM::Role').filter(
      ({ properties }) => properties.ManagedPolicyArns,
    );
    expect(roles.map(({ id }) => id.slice(0, -8))).toEqual(['ApiRestCloudWatchRole']);
  });
});

describe('secrets', () => {
  test('only the gateway reads credentials', () => {
    expect(rolesWith(({ resource }) => resource.includes('/credentials'))).toEqual(['{GatewayRole}']);
  });

  test('only the issuer reads client secrets', () => {
    expect(rolesWith(({ resource }) => resource.includes('/clients'))).toEqual(['{IssuerRole}']);
  });

  test('nobody can list, change or describe a secret', () => {
    const actions = grants
      .map(({ action }) => action)
      .filter((action) => action.startsWith('secretsmanager:'));
    expect(new Set(actions)).toEqual(new Set(['secretsmanager:GetSecretValue']));
  });
});

describe('keys', () => {
  test.for([
    ['StorageIssuerKeySlotA', '{IssuerRole}'],
    ['StorageIdentityKeySlotA', '{GatewayRole}'],
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
    expect(administration).toHaveLength(2);
    for (const { statement } of administration) {
      expect(listOf(statement.Action)).toContain('kms:PutKeyPolicy');
      expect(listOf(statement.Action)).not.toContain('kms:Sign');
      expect(listOf(statement.Action)).not.toContain('kms:CreateGrant');
    }
  });
});

describe('tables', () => {
  test('audit records can be put and nothing else', () => {
    const actions = grants
      .filter(({ resource }) => resource === '{StorageAuditTable.Arn}')
      .map(({ action }) => action);
    expect(new Set(actions)).toEqual(new Set(['dynamodb:PutItem']));
  });

  test('every right on the auth table names its partitions, and an absent key is refused', () => {
    const onAuth = grants.filter(({ resource }) => resource === '{StorageAuthTable.Arn}');
    expect(onAuth.length).toBeGreaterThan(0);
    for (const { statement, partitions } of onAuth) {
      expect(partitions).toEqual(
        expect.arrayContaining([expect.stringMatching(/^(?:POLICY|KEYS|REVOCATION#\*)$/)]),
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
    expect(writers('REVOCATION#*')).toEqual(['{ControlRole}', '{IssuerRole}']);
  });

  test('only the context store reaches documents', () => {
    expect(rolesWith(({ resource }) => resource.includes('ContextTable'))).toEqual(['{ContextStoreRole}']);
  });

  test('no index is reachable: a decision on one could be poisoned', () => {
    expect(grants.filter(({ resource }) => resource.includes('/index'))).toEqual([]);
  });
});

describe('functions are invoked', () => {
  test('by this API alone, each from its own methods', () => {
    for (const { properties } of resources(template, 'AWS::Lambda::Permission')) {
      expect(properties.Principal).toBe('apigateway.amazonaws.com');
      expect(render(properties.SourceArn)).toMatch(
        /^arn:\{AWS::Partition\}:execute-api:\{AWS::Region\}:\{AWS::AccountId\}:\{ApiRest\}\/(?:authorizers\/\{ApiTokenAuthorizer\}|\{ApiRestDeploymentStageprod\}\/\S+)$/,
      );
    }
  });
});
