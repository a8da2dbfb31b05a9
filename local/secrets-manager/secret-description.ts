import type { JsonObject } from '../json.ts';
import type { StoredSecret } from './secret-store.ts';

/** What `DescribeSecret` and `ListSecrets` say of a secret; never its value. */
export function describeSecret(secret: StoredSecret): JsonObject {
  const staged = secret.versions.filter(({ stages }) => stages.length > 0);
  return {
    ARN: secret.arn,
    Name: secret.name,
    Description: secret.description,
    CreatedDate: secret.createdAt,
    LastChangedDate: secret.changedAt,
    DeletedDate: secret.deletedAt,
    Tags: Object.entries(secret.tags).map(([Key, Value]) => ({ Key, Value })),
    VersionIdsToStages: Object.fromEntries(staged.map(({ id, stages }) => [id, stages])),
    SecretVersionsToStages: Object.fromEntries(staged.map(({ id, stages }) => [id, stages])),
  };
}

/** The answer of `ListSecretVersionIds`. */
export function listVersions(secret: StoredSecret, includeDeprecated: boolean): object {
  const versions = secret.versions.filter(({ stages }) => includeDeprecated || stages.length > 0);
  return {
    ARN: secret.arn,
    Name: secret.name,
    Versions: versions.map(({ id, stages, createdAt }) => {
      return { VersionId: id, VersionStages: stages, CreatedDate: createdAt };
    }),
  };
}
