import { type AwsCall, AwsError } from '../endpoint/aws-call.ts';
import { tablesOf } from '../endpoint/faults.ts';
import { isAllowed } from '../iam/policy.ts';
import type { Principals } from '../iam/principals.ts';
import { toArray, toObject, toText } from '../json.ts';
import { toTableArn } from '../physical-name.ts';
import type { Template } from '../template.ts';
import { leadingKeysOf } from './leading-keys.ts';

/** Refuses a call that its caller's role does not allow. */
export type Authorization = (call: AwsCall) => void;

/**
 * IAM in front of DynamoDB: a call of a function, or of a session that a function began, is decided by the policies that the template
 * attaches to the role, for every table of the call. Credentials of nobody in the template are the developer's own and may do
 * everything. Does NOT verify signatures.
 */
export function createAuthorization(template: Template, principals: Principals): Authorization {
  const hashKeys = new Map(
    template.ofType('AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable').map(({ logicalId, properties }) => {
      const schema = toArray(template.resolve(properties['KeySchema'] ?? [])).map(toObject);
      const hash = schema.find(({ KeyType: type }) => type === 'HASH');
      return [template.ref(logicalId), toText(hash?.['AttributeName']) ?? ''] as const;
    }),
  );
  return (call) => {
    const principal = principals.identify(call, Date.now());
    if (principal.kind === 'administrator') return;
    const { role, keys } = principal;
    const tables = tablesOf(call.input);
    const action = `dynamodb:${call.operation}`;
    for (const table of tables.length === 0 ? [''] : tables) {
      const leading = leadingKeysOf(call.operation, call.input, table, hashKeys.get(table) ?? '');
      const request = {
        action,
        resource: table === '' ? '*' : toTableArn(table),
        principal: role.arn,
        keys: new Map([...keys, ...(leading === undefined ? [] : [[LEADING_KEYS, leading] as const])]),
      };
      if (isAllowed(role.policies, request)) continue;
      throw new AwsError(
        'com.amazon.coral.service#AccessDeniedException',
        `${role.arn} is not authorized to perform: ${action} on resource: ${request.resource}`,
      );
    }
  };
}

const LEADING_KEYS = 'dynamodb:leadingkeys';
