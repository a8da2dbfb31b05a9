import { createHash } from 'node:crypto';
import type { Resource } from './template.ts';

/** The account of the local cloud. */
export const ACCOUNT_ID = '000000000000';

/** The region of the local cloud. */
export const REGION = 'us-east-1';

/** What `Ref` and `Fn::GetAtt` of one resource answer. */
export type PhysicalName = { readonly ref: string; readonly attributes: Readonly<Record<string, string>> };

/** Full ARN of a secret. The suffix is made from the name, so that a template can name a secret before it exists. */
export function toSecretArn(name: string): string {
  const suffix = createHash('sha256').update(name).digest('base64').replace(/[+/=]/g, '').slice(0, 6);
  return `arn:aws:secretsmanager:${REGION}:${ACCOUNT_ID}:secret:${name}-${suffix}`;
}

/** ARN of a key. */
export function toKeyArn(keyId: string): string {
  return `arn:aws:kms:${REGION}:${ACCOUNT_ID}:key/${keyId}`;
}

/** ARN of a table. */
export function toTableArn(name: string): string {
  return `arn:aws:dynamodb:${REGION}:${ACCOUNT_ID}:table/${name}`;
}

/**
 * Names one resource as CloudFormation would once it exists, the same on every start. A type that it does not know gets
 * its logical id, and `{id}.{attribute}` for an attribute, which is enough for what no local part reads.
 */
export function nameResource(
  stack: string,
  resource: Resource,
  property: (name: string) => string | undefined,
): PhysicalName {
  const { logicalId, type } = resource;
  const generated = `${stack}-${logicalId}`;
  switch (type) {
    case 'AWS::DynamoDB::Table':
    case 'AWS::DynamoDB::GlobalTable': {
      const name = property('TableName') ?? generated;
      return { ref: name, attributes: { Arn: toTableArn(name) } };
    }
    case 'AWS::SecretsManager::Secret': {
      const arn = toSecretArn(property('Name') ?? generated);
      return { ref: arn, attributes: { Id: arn } };
    }
    case 'AWS::KMS::Key': {
      const id = toUuid(generated);
      return { ref: id, attributes: { Arn: toKeyArn(id), KeyId: id } };
    }
    case 'AWS::Lambda::Function': {
      const name = property('FunctionName') ?? generated;
      return { ref: name, attributes: { Arn: `arn:aws:lambda:${REGION}:${ACCOUNT_ID}:function:${name}` } };
    }
    case 'AWS::IAM::Role': {
      const name = property('RoleName') ?? generated;
      return { ref: name, attributes: { Arn: `arn:aws:iam::${ACCOUNT_ID}:role/${name}` } };
    }
    case 'AWS::ApiGateway::RestApi':
      return { ref: toApiId(generated), attributes: { RootResourceId: `${logicalId}.RootResourceId` } };
    case 'AWS::ApiGateway::Stage':
      return { ref: property('StageName') ?? logicalId, attributes: {} };
    default:
      return { ref: logicalId, attributes: {} };
  }
}

function toUuid(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}

function toApiId(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 10);
}
