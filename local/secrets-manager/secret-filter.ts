import { AwsError } from '../endpoint/aws-call.ts';
import { isObject, type JsonObject, toArray } from '../json.ts';
import { describeSecret } from './secret-description.ts';
import type { StoredSecret } from './secret-store.ts';

const FIELDS: Readonly<Record<string, (secret: StoredSecret) => readonly string[]>> = {
  name: ({ name }) => [name],
  description: ({ description }) => (description === undefined ? [] : [description]),
  'tag-key': ({ tags }) => Object.keys(tags),
  'tag-value': ({ tags }) => Object.values(tags),
};

/**
 * `ListSecrets`: filters by prefix (`!` in front negates), pages by `MaxResults` and `NextToken`, leaves out what is to be
 * deleted unless it is asked for.
 */
export function filterSecrets(secrets: readonly StoredSecret[], input: JsonObject): object {
  const filters = toArray(input['Filters']).filter(isObject);
  const kept = secrets.filter((secret) => {
    const isListed = secret.deletedAt === undefined || input['IncludePlannedDeletion'] === true;
    return isListed && filters.every((filter) => fits(secret, filter));
  });
  const start = Number(input['NextToken'] ?? 0);
  const end = start + Number(input['MaxResults'] ?? 100);
  return {
    SecretList: kept.slice(start, end).map(describeSecret),
    ...(end < kept.length ? { NextToken: String(end) } : {}),
  };
}

function fits(secret: StoredSecret, filter: JsonObject): boolean {
  const field = FIELDS[String(filter['Key'])];
  if (field === undefined) {
    const known = Object.keys(FIELDS).join(', ');
    throw new AwsError('InvalidParameterException', `the local filter keys are ${known}`);
  }
  const texts = field(secret);
  return toArray(filter['Values'])
    .map(String)
    .some((value) =>
      value.startsWith('!')
        ? texts.every((text) => !text.startsWith(value.slice(1)))
        : texts.some((text) => text.startsWith(value)),
    );
}
