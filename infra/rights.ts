import { Stack, Validations } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { SallyportFunction } from './function.ts';

/** Partitions of the auth table, as patterns over `pk`. */
export type AuthPartition =
  | 'POLICY'
  | 'KEYS'
  | 'REVOCATION#*'
  | 'CODE#*'
  | 'REFRESH#*'
  | 'SESSION#*'
  | 'ONCE#*'
  | 'RUN#*'
  | 'CLIENT#*'
  | 'CONNECTION#*'
  | 'CONNECT#*'
  | 'COUNT#*'
  | 'LIMIT#*'
  | 'WITNESS#*';

const READ = ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'];

/** The right to read some partitions of the auth table. */
export function readAuth(table: TableV2, ...partitions: AuthPartition[]): PolicyStatement {
  return onPartitions(table, READ, partitions);
}

/** The right to write some partitions of the auth table. Nothing there is deleted but by its TTL. */
export function writeAuth(table: TableV2, ...partitions: AuthPartition[]): PolicyStatement {
  return onPartitions(table, ['dynamodb:PutItem'], partitions);
}

/** The right to count in some partitions of the auth table: to change a tally where it is, never to put another item in its place. */
export function countAuth(table: TableV2, ...partitions: AuthPartition[]): PolicyStatement {
  return onPartitions(table, ['dynamodb:UpdateItem'], partitions);
}

/** Partitions of the audit table, as patterns over `pk`. */
export type AuditPartition = 'RECORD#*' | 'CHECKPOINT#*' | '*#20??-??-??';

/** The right to put audit records or checkpoints, and nothing else: not to read, change or delete one. */
export function appendAudit(table: TableV2, ...partitions: AuditPartition[]): PolicyStatement {
  return onPartitions(table, ['dynamodb:PutItem'], partitions);
}

/** The right to read audit records and checkpoints, one partition at a time; those too that an older version kept by `{org}#{day}`. */
export function readAudit(table: TableV2): PolicyStatement {
  return onPartitions(table, ['dynamodb:Query'], ['RECORD#*', 'CHECKPOINT#*', '*#20??-??-??']);
}

/**
 * The right to work on the documents of the one namespace that the session is tagged with. The partition is compared and not matched, so
 * that no name of an org or a namespace is a pattern.
 */
export function useTaggedContext(table: TableV2): PolicyStatement {
  return new PolicyStatement({
    actions: [
      ...READ,
      'dynamodb:PutItem',
      'dynamodb:UpdateItem',
      'dynamodb:DeleteItem',
      'dynamodb:BatchWriteItem',
    ],
    resources: [table.tableArn],
    conditions: {
      'ForAllValues:StringEquals': {
        // biome-ignore lint/suspicious/noTemplateCurlyInString: variables of IAM
        'dynamodb:LeadingKeys': '${aws:PrincipalTag/org}#${aws:PrincipalTag/namespace}',
      },
      // ForAllValues is true of an absent key.
      Null: { 'dynamodb:LeadingKeys': 'false' },
    },
  });
}

/** Tags that a session of the data role must have, and all that it may have. */
const TENANT_TAGS = ['org', 'namespace'];

/** The right to begin a session of a role for one tenant: with both tags, and with no other. */
export function beginTenantSession(roleArn: string): PolicyStatement {
  return new PolicyStatement({
    actions: ['sts:AssumeRole', 'sts:TagSession'],
    resources: [roleArn],
    conditions: TENANT_SESSION,
  });
}

/** The condition under which a session is one tenant's. */
export const TENANT_SESSION = {
  'ForAllValues:StringEquals': { 'aws:TagKeys': TENANT_TAGS },
  Null: Object.fromEntries(TENANT_TAGS.map((tag) => [`aws:RequestTag/${tag}`, 'false'])),
} as const;

/** Folders of `sallyport/{stage}/` whose secrets' names are not known here. */
export type SecretFolder = 'clients' | 'credentials' | 'env' | 'providers';

/** Lets a function read every secret of one folder. `reason` says why the wildcard at its end is right. */
export function allowSecrets(
  reader: SallyportFunction,
  stage: string,
  folder: SecretFolder,
  reason: string,
): void {
  const { partition, region, account } = Stack.of(reader);
  const toArn = (aws: Record<'partition' | 'region' | 'account', string>) =>
    `arn:${aws.partition}:secretsmanager:${aws.region}:${aws.account}:secret:sallyport/${stage}/${folder}/*`;
  reader.addToRolePolicy(
    new PolicyStatement({
      actions: ['secretsmanager:GetSecretValue'],
      resources: [toArn({ partition, region, account })],
    }),
  );
  const asReported = toArn({
    partition: '<AWS::Partition>',
    region: '<AWS::Region>',
    account: '<AWS::AccountId>',
  });
  Validations.of(reader.executionRole).acknowledge({
    id: `AwsSolutions-IAM5[Resource::${asReported}]`,
    reason,
  });
}

/** The right to read one secret. */
export function readSecret(secret: ISecret): PolicyStatement {
  return new PolicyStatement({
    actions: ['secretsmanager:GetSecretValue'],
    resources: [secret.secretArn],
  });
}

function onPartitions(
  table: TableV2,
  actions: string[],
  partitions: (AuthPartition | AuditPartition)[],
): PolicyStatement {
  return new PolicyStatement({
    actions,
    resources: [table.tableArn],
    conditions: {
      'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': partitions },
      // ForAllValues is true of an absent key.
      Null: { 'dynamodb:LeadingKeys': 'false' },
    },
  });
}
