import { describe, expect, test } from 'vitest';
import { grants, keyStatements, listOf, rolesWith, template } from './grants.ts';
import { resources } from './synthesized.ts';

const SECRETS = 'arn:{AWS::Partition}:secretsmanager:{AWS::Region}:{AWS::AccountId}:secret:sallyport/prod';

/** What administrators do to secrets, whose names are not known at deploy time: everything but reading one. */
const ADMINISTERS_SECRETS = [
  ...['Create', 'Delete', 'Describe', 'Restore'].map((verb) => `${verb}Secret`),
  'PutSecretValue',
  'UpdateSecretVersionStage',
]
  .flatMap((action) =>
    ['credentials', 'providers'].map((folder) => `secretsmanager:${action} ${SECRETS}/${folder}/*`),
  )
  .concat('secretsmanager:ListSecrets *');

/** The only wildcards in resources; the reason for each is beside its acknowledgement in `infra/`. */
const OPEN_ENDED = [
  `{IssuerRole} ${SECRETS}/clients/*`,
  `{IssuerRole} ${SECRETS}/env/*`,
  `{GatewayRole} ${SECRETS}/credentials/*`,
  `{GatewayRole} ${SECRETS}/providers/*`,
  `{ControlRole} ${SECRETS}/providers/*`,
  ...ADMINISTERS_SECRETS.map((right) => `{ControlRole} ${right.split(' ')[1]}`),
];

/** What the issuer alone keeps: nobody else may even read a code or a refresh token. Control reads sessions, for the pages of its own, and witnesses. */
const ISSUER_RECORDS = 'CODE#*,REFRESH#*,SESSION#*,ONCE#*,RUN#*,CLIENT#*,WITNESS#*';

/** Every function adds records; only the issuer adds checkpoints. */
const PUTS_RECORDS = 'dynamodb:PutItem {StorageAuditTable.Arn} RECORD#*';
/** The issuer, to sign what there is; control, to show it. */
const READS_AUDIT = 'dynamodb:Query {StorageAuditTable.Arn} RECORD#*,CHECKPOINT#*,*#20??-??-??';

/** The one partition that a session's tags name; compared, not matched. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: variables of IAM
const ONE_NAMESPACE = '${aws:PrincipalTag/org}#${aws:PrincipalTag/namespace}';

/** All rights of all functions but the one to write their own log. */
// biome-ignore format: one row per right
const RIGHTS: Readonly<Record<string, string[]>> = {
  '{AuthorizerRole}': [
    ...readsAuth(),
    PUTS_RECORDS,
  ],
  '{IssuerRole}': [
    ...readsAuth(`,${ISSUER_RECORDS},COUNT#*`),
    `dynamodb:PutItem {StorageAuthTable.Arn} KEYS,REVOCATION#*,${ISSUER_RECORDS}`,
    'dynamodb:UpdateItem {StorageAuthTable.Arn} COUNT#*',
    'dynamodb:PutItem {StorageAuditTable.Arn} RECORD#*,CHECKPOINT#*',
    READS_AUDIT,
    'kms:Sign {StorageIssuerKeySlotA.Arn}',
    'kms:Sign {StorageIssuerKeySlotB.Arn}',
    'kms:GetPublicKey {StorageIssuerKeySlotA.Arn}',
    'kms:GetPublicKey {StorageIssuerKeySlotB.Arn}',
    'kms:GetPublicKey {StorageIdentityKeySlotA.Arn}',
    'kms:GetPublicKey {StorageIdentityKeySlotB.Arn}',
    `secretsmanager:GetSecretValue ${SECRETS}/clients/*`,
    `secretsmanager:GetSecretValue ${SECRETS}/env/*`,
    'secretsmanager:GetSecretValue {StorageSealingSecret}',
    'secretsmanager:GetSecretValue {EdgeSecret1}',
  ],
  '{GatewayRole}': [
    ...readsAuth(',CONNECTION#*'),
    'dynamodb:PutItem {StorageAuthTable.Arn} CONNECTION#*',
    'dynamodb:UpdateItem {StorageAuthTable.Arn} LIMIT#*',
    PUTS_RECORDS,
    'kms:Sign {StorageIdentityKeySlotA.Arn}',
    'kms:Sign {StorageIdentityKeySlotB.Arn}',
    'kms:GenerateDataKey {StorageConnectionKey.Arn}',
    'kms:Decrypt {StorageConnectionKey.Arn}',
    `secretsmanager:GetSecretValue ${SECRETS}/credentials/*`,
    `secretsmanager:GetSecretValue ${SECRETS}/providers/*`,
    'secretsmanager:GetSecretValue {StorageSealingSecret}',
  ],
  '{ContextStoreRole}': [
    ...readsAuth(),
    'dynamodb:UpdateItem {StorageAuthTable.Arn} LIMIT#*',
    PUTS_RECORDS,
    'sts:AssumeRole {ContextDataRole.Arn}',
    'sts:TagSession {ContextDataRole.Arn}',
    'secretsmanager:GetSecretValue {StorageSealingSecret}',
  ],
  '{ContextDataRole}': [
    ...['BatchGetItem', 'BatchWriteItem', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'].map(
      (operation) => `dynamodb:${operation} {StorageContextTable.Arn} ${ONE_NAMESPACE}`,
    ),
  ],
  '{ControlRole}': [
    ...readsAuth(',SESSION#*,CONNECTION#*,CONNECT#*,WITNESS#*'),
    'dynamodb:PutItem {StorageAuthTable.Arn} POLICY,CONNECTION#*,CONNECT#*',
    PUTS_RECORDS,
    READS_AUDIT,
    'kms:GenerateDataKey {StorageConnectionKey.Arn}',
    'kms:Decrypt {StorageConnectionKey.Arn}',
    `secretsmanager:GetSecretValue ${SECRETS}/providers/*`,
    'secretsmanager:GetSecretValue {StorageSealingSecret}',
    ...ADMINISTERS_SECRETS,
  ],
};

function readsAuth(more = ''): string[] {
  return ['BatchGetItem', 'GetItem', 'Query'].map(
    (operation) => `dynamodb:${operation} {StorageAuthTable.Arn} POLICY,KEYS,REVOCATION#*${more}`,
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

  test('only the five functions and the data role have rights, and each function writes its own log alone', () => {
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

  test('no right hides outside the policies that are read here', () => {
    template.resourceCountIs('AWS::IAM::ManagedPolicy', 0);
    const roles = resources(template, 'AWS::IAM::Role');
    expect(roles.filter(({ properties }) => properties.Policies !== undefined)).toEqual([]);
    expect(resources(template, 'AWS::SecretsManager::ResourcePolicy')).toEqual([]);
    const tables = resources(template, 'AWS::DynamoDB::GlobalTable');
    expect(tables.filter(({ properties }) => JSON.stringify(properties).includes('ResourcePolicy'))).toEqual(
      [],
    );
  });
});
