import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';

/** What Secrets Manager calls a rotation function with, once for each step. */
export type RotationEvent = {
  readonly SecretId: string;
  /** The id of the version that is to become the current one. */
  readonly ClientRequestToken: string;
  readonly Step: string;
};

/** The party whose credential is rotated. Values are secrets' values as Sallyport reads them; each may be called again after a failure. */
export type RotatedParty = {
  /** The next value. The party need not know it yet. */
  create(current: string): Promise<string>;
  /** From now on the party takes the next value; best beside the current one, but it may also take the current one no more. */
  set(current: string, next: string): Promise<void>;
  /** Throws where the party does not take the next value. */
  test(next: string): Promise<void>;
};

/**
 * The handler of a rotation function (Secrets Manager's four steps: createSecret, setSecret, testSecret, finishSecret) for a party, in an
 * administrator's own deployment; see docs/secrets.md. A step that was done is not done again, and a step that throws leaves the current
 * version as it is: Secrets Manager tries again.
 *
 * @throws Error naming the step, and no value, where it cannot be done
 */
export function createRotation(
  client: SecretsManagerClient,
  party: RotatedParty,
): (event: RotationEvent) => Promise<void> {
  const read = async (
    SecretId: string,
    VersionStage: string,
    VersionId?: string,
  ): Promise<string | undefined> => {
    try {
      const command = new GetSecretValueCommand({ SecretId, VersionStage, VersionId });
      return (await client.send(command)).SecretString;
    } catch (error) {
      if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
      throw error;
    }
  };
  const existing = async (...version: Parameters<typeof read>): Promise<string> => {
    const value = await read(...version);
    if (value === undefined) throw new Error(`the version ${version[1]} is not there`);
    return value;
  };

  return async ({ SecretId, ClientRequestToken: id, Step }) => {
    const { VersionIdsToStages: stages = {} } = await client.send(new DescribeSecretCommand({ SecretId }));
    if (stages[id]?.includes('AWSCURRENT') === true) return;
    const current = () => existing(SecretId, 'AWSCURRENT');
    const next = () => existing(SecretId, 'AWSPENDING', id);
    switch (Step) {
      case 'createSecret': {
        if ((await read(SecretId, 'AWSPENDING', id)) !== undefined) return;
        const version = { SecretId, ClientRequestToken: id, VersionStages: ['AWSPENDING'] };
        const SecretString = await party.create(await current());
        await client.send(new PutSecretValueCommand({ ...version, SecretString }));
        return;
      }
      case 'setSecret':
        await party.set(await current(), await next());
        return;
      case 'testSecret':
        await party.test(await next());
        return;
      case 'finishSecret': {
        await next();
        const [holder] = Object.entries(stages).find(([, held]) => held.includes('AWSCURRENT')) ?? [];
        const move = {
          SecretId,
          VersionStage: 'AWSCURRENT',
          MoveToVersionId: id,
          RemoveFromVersionId: holder,
        };
        await client.send(new UpdateSecretVersionStageCommand(move));
        return;
      }
      default:
        throw new Error(`\`${Step}\` is no step of a rotation`);
    }
  };
}
