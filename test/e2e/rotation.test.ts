import {
  DescribeSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AGENTS, configurationOf, KEEPER } from '../load/rotation/configuration.ts';
import { KINDS, type Kind, type Party, startParty } from '../load/rotation/party.ts';
import { rotateUnderLoad, type SecretReport } from '../load/rotation/secrets.ts';
import { type Sallyport, startSallyport } from '../support/sallyport.ts';

const [AGENT] = AGENTS;
const nameOf = (kind: Kind, stage: string) => `sallyport/${stage}/credentials/acme/${kind}/client.${AGENT}`;

let cloud: Sallyport;
let party: Party;
let secrets: SecretsManagerClient;
let reports: ReadonlyMap<Kind, SecretReport>;

beforeAll(async () => {
  party = await startParty();
  cloud = await startSallyport({
    clients: [...AGENTS, KEEPER],
    config: configurationOf('http://127.0.0.1:9', party.origin),
    credentials: Object.fromEntries(
      KINDS.map((kind) => [nameOf(kind, '{stage}'), JSON.stringify(party.next(kind))]),
    ),
  });
  secrets = new SecretsManagerClient({
    endpoint: cloud.ready['AWS_ENDPOINT_URL_SECRETS_MANAGER'] ?? '',
    region: cloud.ready['AWS_REGION'] ?? 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  const token = await cloud.token(AGENT);
  const put = async (kind: Kind, value: object, stage: string) => {
    const SecretString = JSON.stringify(value);
    await secrets.send(
      new PutSecretValueCommand({ SecretId: nameOf(kind, 'local'), SecretString, VersionStages: [stage] }),
    );
  };
  reports = await rotateUnderLoad(
    party,
    {
      put: (kind, value) => put(kind, value, 'AWSCURRENT'),
      rotate: (kind, value) => put(kind, value, 'AWSPENDING'),
      // As a rotation function ends it: what waits becomes the current one, and waits on.
      async promote(kind) {
        const SecretId = nameOf(kind, 'local');
        const { VersionIdsToStages = {} } = await secrets.send(new DescribeSecretCommand({ SecretId }));
        const holderOf = (stage: string) =>
          Object.entries(VersionIdsToStages).find(([, stages]) => stages.includes(stage))?.[0];
        await secrets.send(
          new UpdateSecretVersionStageCommand({
            SecretId,
            VersionStage: 'AWSCURRENT',
            MoveToVersionId: holderOf('AWSPENDING'),
            RemoveFromVersionId: holderOf('AWSCURRENT'),
          }),
        );
      },
    },
    async (kind) => {
      const response = await fetch(`${cloud.origin}/${kind}/mcp`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read"}}',
      });
      return { status: response.status, text: await response.text() };
    },
  );
}, 180_000);
afterAll(async () => {
  secrets?.destroy();
  await cloud?.close();
  await party?.close();
});

test.for(KINDS)(
  'no call of %s fails, in two steps and at once, by the AWS SDK, though the API takes one credential only',
  (kind) => {
    expect(reports.get(kind)?.failed).toEqual([]);
    expect(reports.get(kind)?.calls).toBeGreaterThan(40);
  },
);
