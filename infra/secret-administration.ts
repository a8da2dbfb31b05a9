import { Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { SallyportFunction } from './function.ts';
import type { SecretFolder } from './rights.ts';

const CHANGES = [
  'secretsmanager:CreateSecret',
  'secretsmanager:PutSecretValue',
  'secretsmanager:UpdateSecretVersionStage',
  'secretsmanager:DescribeSecret',
  'secretsmanager:RestoreSecret',
];

/** Deletion at once leaves the request without a window, and then nothing here allows it (service authorization reference, Secrets Manager). */
const RESTORABLE = { NumericGreaterThanEquals: { 'secretsmanager:RecoveryWindowInDays': '7' } };

/**
 * Lets a function write, rotate, list and delete the secrets of some folders, whose names are not known at deploy time. It may read no
 * value by this, and delete nothing that could not be restored for a week; ListSecrets shows names and dates of the account's secrets, and IAM has no way to narrow it.
 */
export function allowSecretAdministration(
  writer: SallyportFunction,
  stage: string,
  folders: readonly SecretFolder[],
): void {
  const { partition, region, account } = Stack.of(writer);
  const arns = (aws: Record<'partition' | 'region' | 'account', string>) =>
    folders.map(
      (folder) =>
        `arn:${aws.partition}:secretsmanager:${aws.region}:${aws.account}:secret:sallyport/${stage}/${folder}/*`,
    );
  const resources = arns({ partition, region, account });
  writer.addToRolePolicy(new PolicyStatement({ actions: CHANGES, resources }));
  writer.addToRolePolicy(
    new PolicyStatement({ actions: ['secretsmanager:DeleteSecret'], resources, conditions: RESTORABLE }),
  );
  writer.addToRolePolicy(new PolicyStatement({ actions: ['secretsmanager:ListSecrets'], resources: ['*'] }));
  const reported = arns({
    partition: '<AWS::Partition>',
    region: '<AWS::Region>',
    account: '<AWS::AccountId>',
  });
  Validations.of(writer.executionRole).acknowledge(
    ...reported.map((arn) => ({
      id: `AwsSolutions-IAM5[Resource::${arn}]`,
      reason: 'Administrators write secrets per client, without a deploy.',
    })),
    {
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'ListSecrets knows no resources; it gives no values, and the function drops other names.',
    },
  );
}
