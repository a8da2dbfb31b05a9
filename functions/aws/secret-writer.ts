import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  type DescribeSecretCommandOutput,
  ListSecretsCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  type SecretListEntry,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import type {
  SecretAdministration,
  SecretDescription,
  SecretRefusal,
  Written,
} from '../core/secret-administration.ts';

/** How long a secret that was deleted can be restored: the shortest that Secrets Manager has. */
const RECOVERY_DAYS = 7;
const PAGE_SIZE = 100;

type Failure = Unavailable | SecretRefusal;

/** Writes secrets to Secrets Manager; no command here reads a value. */
export function createSecretWriter(client: SecretsManagerClient): SecretAdministration {
  const putVersion = (name: string, text: string, stage: string): Promise<Result<Written, Failure>> =>
    attempt(name, async () => {
      const put = new PutSecretValueCommand({ SecretId: name, SecretString: text, VersionStages: [stage] });
      return { versionId: (await client.send(put)).VersionId ?? '', isNew: false };
    });

  /** Looks at what is there where the move has failed: Secrets Manager may have made it, and its answer was lost; or somebody else moved it. */
  const moveCurrent = async (
    name: string,
    from: string | undefined,
    to: string,
  ): Promise<Result<unknown, Failure>> => {
    const move = {
      SecretId: name,
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: to,
      RemoveFromVersionId: from,
    };
    const moved = await attempt(name, () => client.send(new UpdateSecretVersionStageCommand(move)));
    if (moved.ok) return moved;
    const described = await attempt(name, () => client.send(new DescribeSecretCommand({ SecretId: name })));
    if (!described.ok) return moved;
    const [current] = holders(described.value, 'AWSCURRENT');
    if (current === to) return ok(undefined);
    return current === from ? moved : err({ reason: 'conflict' });
  };

  /** Is it known that this version waits? Where another does by now, that one is somebody else's to promote. */
  const isWaiting = async (name: string, versionId: string): Promise<boolean> => {
    const described = await attempt(name, () => client.send(new DescribeSecretCommand({ SecretId: name })));
    return described.ok && holders(described.value, 'AWSPENDING').includes(versionId);
  };

  return {
    async put(name, value) {
      const text = value.reveal();
      const put = await putVersion(name, text, 'AWSCURRENT');
      if (put.ok || put.error.reason !== 'missing') return put;
      const created = await attempt(name, async () => {
        const create = new CreateSecretCommand({ Name: name, SecretString: text });
        return { versionId: (await client.send(create)).VersionId ?? '', isNew: true };
      });
      const isRace = !created.ok && created.error.reason === 'conflict';
      return isRace ? putVersion(name, text, 'AWSCURRENT') : created;
    },

    stage: (name, value) => putVersion(name, value.reveal(), 'AWSPENDING'),

    async promote(name) {
      const described = await attempt(name, () => client.send(new DescribeSecretCommand({ SecretId: name })));
      if (!described.ok) return described;
      if (described.value.DeletedDate !== undefined) return err({ reason: 'deleted' });
      const [current, pending] = holders(described.value, 'AWSCURRENT', 'AWSPENDING');
      if (pending === undefined) return err({ reason: 'not_staged' });
      if (pending !== current) {
        const moved = await moveCurrent(name, current, pending);
        if (!moved.ok) return moved;
      }
      // It is the current one by now. That it waits too changes nothing, and a second promotion takes it away.
      const waits = { SecretId: name, VersionStage: 'AWSPENDING', RemoveFromVersionId: pending };
      const ended = await attempt(name, () => client.send(new UpdateSecretVersionStageCommand(waits)));
      const stillWaits = !ended.ok && (await isWaiting(name, pending));
      return ok({ versionId: pending, isNew: false, ...(stillWaits ? { stillWaits } : {}) });
    },

    async delete(name) {
      const command = new DeleteSecretCommand({ SecretId: name, RecoveryWindowInDays: RECOVERY_DAYS });
      const deleted = await attempt(name, () => client.send(command));
      return deleted.ok ? ok(undefined) : deleted;
    },

    async restore(name) {
      const restored = await attempt(name, () => client.send(new RestoreSecretCommand({ SecretId: name })));
      return restored.ok ? ok(undefined) : restored;
    },

    async list(prefix, after) {
      const command = new ListSecretsCommand({
        Filters: [{ Key: 'name', Values: [prefix] }],
        IncludePlannedDeletion: true,
        MaxResults: PAGE_SIZE,
        ...(after === undefined ? {} : { NextToken: after }),
      });
      const page = await attempt(prefix, () => client.send(command));
      if (!page.ok) return page;
      const found = page.value.SecretList ?? [];
      // The filter of the service looks at beginnings of words too.
      const secrets = found.filter(({ Name = '' }) => Name.startsWith(prefix)).map(describe);
      return ok({ secrets, next: page.value.NextToken });
    },
  };
}

/** The versions that have these stages. */
function holders(
  { VersionIdsToStages = {} }: DescribeSecretCommandOutput,
  ...stages: readonly string[]
): readonly (string | undefined)[] {
  const versions = Object.entries(VersionIdsToStages);
  return stages.map((stage) => versions.find(([, held]) => held.includes(stage))?.[0]);
}

async function attempt<T>(name: string, work: () => Promise<T>): Promise<Result<T, Failure>> {
  try {
    return ok(await work());
  } catch (error) {
    const type = error instanceof Error ? error.name : 'unknown failure';
    switch (type) {
      case 'ResourceNotFoundException':
        return err({ reason: 'missing' });
      case 'InvalidRequestException':
        return err({ reason: 'deleted' });
      case 'ResourceExistsException':
        return err({ reason: 'conflict' });
      case 'InvalidNextTokenException':
        return err({ reason: 'bad_cursor' });
      default:
        // A refusal by IAM too: the deployment is not as it should be, and no administrator can help it.
        return err({ reason: 'unavailable', detail: `secret \`${name}\`: ${type}` });
    }
  }
}

function describe(entry: SecretListEntry): SecretDescription {
  const { Name = '', CreatedDate, LastChangedDate, DeletedDate, SecretVersionsToStages = {} } = entry;
  const versions = Object.entries(SecretVersionsToStages).map(([id, stages]) => ({ id, stages }));
  const [createdAtSeconds, changedAtSeconds, deletedAtSeconds] = [
    CreatedDate,
    LastChangedDate,
    DeletedDate,
  ].map((date) => (date === undefined ? undefined : Math.floor(date.getTime() / 1000)));
  return { name: Name, createdAtSeconds, changedAtSeconds, deletedAtSeconds, versions };
}
