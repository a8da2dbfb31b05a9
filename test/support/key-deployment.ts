import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateKeyCommand, DisableKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import type { Dynamo } from '../../functions/aws/dynamodb.ts';
import { createIssuerKeys } from '../../functions/aws/issuer-keys.ts';
import { createKeyRingStore } from '../../functions/aws/key-ring.ts';
import { createRulebookStore } from '../../functions/aws/rulebook.ts';
import { createSigningKey, readKeySources, readPublicKey } from '../../functions/aws/signing-key.ts';
import type { KeyRing } from '../../functions/core/key-ring.ts';
import { Faults } from '../../local/endpoint/faults.ts';
import { KeyStore } from '../../local/kms/key-store.ts';
import { startKms } from '../../local/kms.ts';
import { startAuthTable } from './auth-table.ts';

/** The settings of one deploy: which key is in which slot. */
export type KeySettings = { readonly issuer: string; readonly identity: string };

/** The embedded DynamoDB and KMS of a deployment, and environments of its functions under one clock. */
export async function startKeyDeployment() {
  const table = await startAuthTable();
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-keys-'));
  const server = await startKms(new KeyStore(directory), new Faults([]));
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const kms = new KMSClient({ endpoint: server.url, region: 'us-east-1', credentials, maxAttempts: 1 });
  const arns = new Map<string, string>();
  const time = { seconds: 0 };
  const clock = () => time.seconds;

  const arnOf = async (name: string): Promise<string> => {
    const known = arns.get(name);
    if (known !== undefined) return known;
    const made = await kms.send(new CreateKeyCommand({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }));
    const arn = made.KeyMetadata?.Arn ?? '';
    arns.set(name, arn);
    return arn;
  };
  const settingOf = async (purpose: string, names: readonly string[]): Promise<string> => {
    const items = names.map(async (name) => `${name}=${await arnOf(`${purpose} ${name}`)}`);
    return (await Promise.all(items)).join(',');
  };

  return {
    table,
    time,
    store: createKeyRingStore(table.dynamo, table.tableName),

    /** What a deploy with these keys in its slots, `A2 B1`, tells its functions. */
    async deploy(issuer = 'A1 B1', identity = 'A1 B1'): Promise<KeySettings> {
      return {
        issuer: await settingOf('issuer', issuer.split(' ')),
        identity: await settingOf('identity', identity.split(' ')),
      };
    },

    /** Switches a key of KMS off or on. */
    async enable(name: string, isEnabled: boolean): Promise<void> {
      const KeyId = await arnOf(name);
      await kms.send(isEnabled ? new EnableKeyCommand({ KeyId }) : new DisableKeyCommand({ KeyId }));
    },

    /** An environment of the issuer. */
    issuer({ issuer, identity }: KeySettings, dynamo: Dynamo = table.dynamo) {
      const sources = readKeySources(issuer, 'access');
      const keys = createIssuerKeys({
        store: createKeyRingStore(dynamo, table.tableName),
        sources: [...sources, ...readKeySources(identity, 'identity')],
        readPublicKey: (source) => readPublicKey(kms, source),
        clock,
      });
      const ports = { client: kms, sources, purpose: 'access', clock } as const;
      return { keys, signingKey: createSigningKey({ ...ports, readRing: () => keys.readRing() }) };
    },

    /** An environment of the gateway; as one of the authorizer it verifies alone. */
    gateway({ identity }: KeySettings, dynamo: Dynamo = table.dynamo) {
      const rulebook = createRulebookStore(dynamo, table.tableName, clock);
      const sources = readKeySources(identity, 'identity');
      const ports = { client: kms, sources, purpose: 'identity', clock } as const;
      return { rulebook, signingKey: createSigningKey({ ...ports, readRing: rulebook.readKeyRing }) };
    },

    async ring(): Promise<KeyRing> {
      const ring = await createKeyRingStore(table.dynamo, table.tableName).read();
      if (!ring.ok) throw new Error(ring.error.detail);
      return ring.value;
    },

    async close(): Promise<void> {
      kms.destroy();
      await server.close();
      await table.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A running deployment of keys. */
export type KeyDeployment = Awaited<ReturnType<typeof startKeyDeployment>>;

/** `A1 signing, B1 standby`: the keys of a purpose. */
export function toldKeys(ring: KeyRing, purpose: 'access' | 'identity' = 'access'): string {
  const ofPurpose = ring.filter((key) => key.purpose === purpose);
  return ofPurpose.map(({ slot, generation, state }) => `${slot}${generation} ${state}`).join(', ');
}
