import {
  CreateSecretCommand,
  DescribeSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createSecretWriter } from '../../functions/aws/secret-writer.ts';
import { Secret } from '../../functions/core/secret.ts';
import { Faults } from '../../local/endpoint/faults.ts';
import { SecretStore } from '../../local/secrets-manager/secret-store.ts';
import { SecretsManager, startSecretsManager } from '../../local/secrets-manager.ts';
import { temporaryDirectory } from '../local/fixture-cloud.ts';

const NAME = 'sallyport/test/credentials/acme/prices/client.agent';
const OUT = new Error('the service is out');

/** What becomes of a call: it never arrives, or it is done and nobody hears of it. */
type Mishap = 'never arrives' | 'is not answered';

/** A writer whose moves of a stage meet with mishaps, by the turn of the move. */
async function connect() {
  const server = await startSecretsManager(
    new SecretsManager(new SecretStore(temporaryDirectory())),
    new Faults([]),
  );
  const settings = {
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  };
  const client = new SecretsManagerClient(settings);
  const other = new SecretsManagerClient(settings);
  const mishaps: (Mishap | undefined)[] = [];
  const before: (() => Promise<unknown>)[] = [];
  client.middlewareStack.add((next, { commandName }) => async (args) => {
    if (commandName !== 'UpdateSecretVersionStageCommand') return next(args);
    await before.shift()?.();
    const mishap = mishaps.shift();
    if (mishap === 'never arrives') throw OUT;
    const answer = await next(args);
    if (mishap === 'is not answered') throw OUT;
    return answer;
  });
  onTestFinished(async () => {
    client.destroy();
    other.destroy();
    await server.close();
  });
  return {
    other,
    mishaps,
    before,
    writer: createSecretWriter(client),
    /** The stages of each version, the oldest first. */
    async stages() {
      const { VersionIdsToStages = {} } = await other.send(new DescribeSecretCommand({ SecretId: NAME }));
      return Object.values(VersionIdsToStages);
    },
  };
}

describe('a promotion', () => {
  let cloud: Awaited<ReturnType<typeof connect>>;
  let staged: string | undefined;
  beforeEach(async () => {
    cloud = await connect();
    await cloud.writer.put(NAME, new Secret('one'));
    const written = await cloud.writer.stage(NAME, new Secret('two'));
    staged = written.ok ? written.value.versionId : undefined;
  });

  test.for<readonly [string, readonly (Mishap | undefined)[], boolean]>([
    ['nothing goes wrong', [], false],
    ['the move is done and not answered', ['is not answered'], false],
    ['the version cannot be taken away from those that wait', [undefined, 'never arrives'], true],
    ['that it was taken away is not answered', [undefined, 'is not answered'], false],
  ])('where %s: the version is the current one, and is said to be', async ([, mishaps, stillWaits]) => {
    cloud.mishaps.push(...mishaps);
    const promoted = await cloud.writer.promote(NAME);
    const told = { versionId: staged, isNew: false, ...(stillWaits ? { stillWaits } : {}) };
    expect(promoted).toEqual({ ok: true, value: told });
    expect((await cloud.stages()).flat()).toContain('AWSPREVIOUS');
  });

  test('that left the version waiting is ended by another, and then there is nothing to promote', async () => {
    cloud.mishaps.push(undefined, 'never arrives');
    await cloud.writer.promote(NAME);
    expect(await cloud.writer.promote(NAME)).toEqual({
      ok: true,
      value: { versionId: staged, isNew: false },
    });
    expect(await cloud.stages()).toEqual([['AWSPREVIOUS'], ['AWSCURRENT']]);
    expect(await cloud.writer.promote(NAME)).toEqual({ ok: false, error: { reason: 'not_staged' } });
  });

  test('that left the version waiting is no obstacle to the next rotation', async () => {
    cloud.mishaps.push(undefined, 'never arrives');
    await cloud.writer.promote(NAME);
    await cloud.writer.stage(NAME, new Secret('three'));
    expect(await cloud.stages()).toEqual([['AWSPREVIOUS'], ['AWSCURRENT'], ['AWSPENDING']]);
    expect((await cloud.writer.promote(NAME)).ok).toBe(true);
    expect(await cloud.stages()).toEqual([['AWSPREVIOUS'], ['AWSCURRENT']]);
  });

  test('whose move never arrives has changed nothing, and is said to be an outage', async () => {
    cloud.mishaps.push('never arrives');
    expect(await cloud.writer.promote(NAME)).toMatchObject({ ok: false, error: { reason: 'unavailable' } });
    expect(await cloud.stages()).toEqual([['AWSCURRENT'], ['AWSPENDING']]);
  });

  test('during which somebody stages the next version does not lead to that one', async () => {
    cloud.before.push(
      async () => {},
      () => cloud.writer.stage(NAME, new Secret('three, not tried yet')),
    );
    expect(await cloud.writer.promote(NAME)).toEqual({
      ok: true,
      value: { versionId: staged, isNew: false },
    });
    expect(await cloud.stages()).toEqual([['AWSPREVIOUS'], ['AWSCURRENT'], ['AWSPENDING']]);
  });

  test('that somebody else overtakes is told so', async () => {
    cloud.before.push(() =>
      cloud.other.send(new PutSecretValueCommand({ SecretId: NAME, SecretString: 'somebody else’s' })),
    );
    expect(await cloud.writer.promote(NAME)).toEqual({ ok: false, error: { reason: 'conflict' } });
  });

  test('of a version whose rotation function has made it the current one ends its waiting', async () => {
    const [current] = Object.entries(
      (await cloud.other.send(new DescribeSecretCommand({ SecretId: NAME }))).VersionIdsToStages ?? {},
    ).find(([, stages]) => stages.includes('AWSCURRENT')) ?? [''];
    await cloud.other.send(
      new UpdateSecretVersionStageCommand({
        SecretId: NAME,
        VersionStage: 'AWSCURRENT',
        MoveToVersionId: staged,
        RemoveFromVersionId: current,
      }),
    );
    expect(await cloud.writer.promote(NAME)).toMatchObject({ ok: true, value: { versionId: staged } });
    expect(await cloud.stages()).toEqual([['AWSPREVIOUS'], ['AWSCURRENT']]);
  });

  test('of a secret without a version has nothing to promote', async () => {
    const name = `${NAME}.empty`;
    await cloud.other.send(new CreateSecretCommand({ Name: name }));
    expect(await cloud.writer.promote(name)).toEqual({ ok: false, error: { reason: 'not_staged' } });
  });
});
