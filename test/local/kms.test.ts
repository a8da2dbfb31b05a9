import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GetPublicKeyCommand,
  KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  type SigningAlgorithmSpec,
  VerifyCommand,
} from '@aws-sdk/client-kms';
import { jwtVerify } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { Faults } from '../../local/endpoint/faults.ts';
import { KeyStore } from '../../local/kms/key-store.ts';
import { startKms } from '../../local/kms.ts';
import { temporaryDirectory } from './fixture-cloud.ts';

const KEY = { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' } as const;
const Message = new TextEncoder().encode('a message');

/** The real client against the endpoint, with one key. */
async function connect(directory = temporaryDirectory()) {
  const server = await startKms(new KeyStore(directory), new Faults([]));
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const client = new KMSClient({ endpoint: server.url, region: 'us-east-1', credentials, maxAttempts: 1 });
  onTestFinished(async () => {
    client.destroy();
    await server.close();
  });
  const { KeyMetadata } = await client.send(new CreateKeyCommand(KEY));
  const KeyId = KeyMetadata?.Arn ?? '';
  const publicKey = async (id = KeyId) => {
    const { PublicKey } = await client.send(new GetPublicKeyCommand({ KeyId: id }));
    return createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
  };
  return { client, KeyId, publicKey };
}

test.for(['RSASSA_PKCS1_V1_5_SHA_256', 'RSASSA_PKCS1_V1_5_SHA_512'] as const)(
  '%s signs a message and its digest alike, and node verifies it',
  async (SigningAlgorithm) => {
    const { client, KeyId, publicKey } = await connect();
    const hash = SigningAlgorithm.endsWith('256') ? 'sha256' : 'sha512';
    const digest = createHash(hash).update(Message).digest();
    const raw = await client.send(new SignCommand({ KeyId, SigningAlgorithm, Message }));
    const byDigest = await client.send(
      new SignCommand({ KeyId, SigningAlgorithm, Message: digest, MessageType: 'DIGEST' }),
    );
    expect(byDigest.Signature).toEqual(raw.Signature);
    expect(verify(hash, Message, await publicKey(), raw.Signature ?? new Uint8Array())).toBe(true);
  },
);

test('an RS256 token that it signs is one that jose verifies', async () => {
  const { client, KeyId, publicKey } = await connect();
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${encode({ alg: 'RS256' })}.${encode({ sub: 'a' })}`;
  const SigningAlgorithm = 'RSASSA_PKCS1_V1_5_SHA_256';
  const { Signature = new Uint8Array() } = await client.send(
    new SignCommand({ KeyId, SigningAlgorithm, Message: Buffer.from(input) }),
  );
  const token = `${input}.${Buffer.from(Signature).toString('base64url')}`;
  expect((await jwtVerify(token, await publicKey())).payload).toEqual({ sub: 'a' });
});

test.for<[SigningAlgorithmSpec, 'RAW' | 'DIGEST']>([
  ['RSASSA_PKCS1_V1_5_SHA_256', 'RAW'],
  ['RSASSA_PKCS1_V1_5_SHA_256', 'DIGEST'],
  ['RSASSA_PSS_SHA_256', 'RAW'],
])('Verify takes what Sign made with %s of %s, and nothing else', async ([SigningAlgorithm, MessageType]) => {
  const { client, KeyId } = await connect();
  const signed = MessageType === 'RAW' ? Message : createHash('sha256').update(Message).digest();
  const input = { KeyId, SigningAlgorithm, MessageType, Message: signed };
  const { Signature } = await client.send(new SignCommand(input));
  const { SignatureValid } = await client.send(new VerifyCommand({ ...input, Signature }));
  expect(SignatureValid).toBe(true);
  const other = Uint8Array.from(signed, (byte) => byte ^ 1);
  const forged = client.send(new VerifyCommand({ ...input, Message: other, Signature }));
  await expect(forged).rejects.toMatchObject({ name: 'KMSInvalidSignatureException' });
});

test('a digest of another length and a message above 4,096 bytes are refused', async () => {
  const { client, KeyId } = await connect();
  const SigningAlgorithm = 'RSASSA_PKCS1_V1_5_SHA_256';
  const sign = (input: { Message: Uint8Array; MessageType?: 'DIGEST' }) =>
    client.send(new SignCommand({ KeyId, SigningAlgorithm, ...input }));
  await expect(sign({ Message, MessageType: 'DIGEST' })).rejects.toMatchObject({
    name: 'ValidationException',
  });
  await expect(sign({ Message: new Uint8Array(4097) })).rejects.toMatchObject({
    name: 'ValidationException',
  });
});

test('a key is found by its id, its ARN, its alias and the alias’s ARN', async () => {
  const { client, KeyId } = await connect();
  const id = KeyId.split('/')[1] ?? '';
  await client.send(new CreateAliasCommand({ AliasName: 'alias/sallyport/issuer', TargetKeyId: id }));
  const aliasArn = 'arn:aws:kms:us-east-1:000000000000:alias/sallyport/issuer';
  for (const reference of [id, KeyId, 'alias/sallyport/issuer', aliasArn]) {
    const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: reference }));
    expect(KeyMetadata).toMatchObject({ Arn: KeyId, KeyState: 'Enabled', KeySpec: 'RSA_2048' });
  }
  expect((await client.send(new ListKeysCommand())).Keys).toEqual([{ KeyId: id, KeyArn: KeyId }]);
  expect((await client.send(new ListAliasesCommand())).Aliases).toMatchObject([
    { TargetKeyId: id, AliasArn: aliasArn },
  ]);
  await expect(client.send(new DescribeKeyCommand({ KeyId: 'alias/none' }))).rejects.toMatchObject({
    name: 'NotFoundException',
  });
});

test('a disabled key and one that is to be deleted sign nothing until they are brought back', async () => {
  const { client, KeyId } = await connect();
  const sign = () =>
    client.send(new SignCommand({ KeyId, SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256', Message }));
  await client.send(new DisableKeyCommand({ KeyId }));
  await expect(sign()).rejects.toMatchObject({ name: 'DisabledException' });
  await client.send(new EnableKeyCommand({ KeyId }));
  await sign();
  await client.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
  await expect(sign()).rejects.toMatchObject({ name: 'KMSInvalidStateException' });
  await client.send(new CancelKeyDeletionCommand({ KeyId }));
  await expect(sign()).rejects.toMatchObject({ name: 'DisabledException' });
});

test('another kind of key is refused', async () => {
  const { client } = await connect();
  const other = new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
  await expect(client.send(other)).rejects.toMatchObject({ name: 'UnsupportedOperationException' });
});

test('keys survive a restart, in a file for their owner alone', async () => {
  const directory = temporaryDirectory();
  const before = await connect(directory);
  const after = await connect(directory);
  const [old, read] = [await before.publicKey(), await after.publicKey(before.KeyId)];
  expect(read.equals(old)).toBe(true);
  expect(statSync(join(directory, 'keys.json')).mode & 0o777).toBe(0o600);
});

/** A symmetric key beside the one that signs. */
async function withSymmetric() {
  const { client, KeyId: signing } = await connect();
  const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
  return { client, signing, KeyId: KeyMetadata?.Arn ?? '', metadata: KeyMetadata };
}

const EncryptionContext = { org: 'acme', subject: 'office:ana' };

test('a key for which nothing is said encrypts', async () => {
  const { metadata } = await withSymmetric();
  expect(metadata).toMatchObject({
    KeySpec: 'SYMMETRIC_DEFAULT',
    KeyUsage: 'ENCRYPT_DECRYPT',
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
  });
  expect(metadata).not.toHaveProperty('SigningAlgorithms');
});

test('a data key comes in the clear and wrapped, another one at every call, and unwraps without the key being named', async () => {
  const { client, KeyId } = await withSymmetric();
  const ask = { KeyId, KeySpec: 'AES_256', EncryptionContext } as const;
  const [first, second] = [
    await client.send(new GenerateDataKeyCommand(ask)),
    await client.send(new GenerateDataKeyCommand(ask)),
  ];
  expect(first.Plaintext).toHaveLength(32);
  expect(first.Plaintext).not.toEqual(second.Plaintext);
  const { CiphertextBlob } = first;
  const opened = await client.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
  expect(opened).toMatchObject({ KeyId, Plaintext: first.Plaintext });
  const hidden = await client.send(
    new GenerateDataKeyWithoutPlaintextCommand({ KeyId, NumberOfBytes: 16, EncryptionContext }),
  );
  expect(hidden).not.toHaveProperty('Plaintext');
  const unwrapped = await client.send(
    new DecryptCommand({ CiphertextBlob: hidden.CiphertextBlob, EncryptionContext }),
  );
  expect(unwrapped.Plaintext).toHaveLength(16);
});

test('what was encrypted opens for the very same context, in any order, and for no other', async () => {
  const { client, KeyId } = await withSymmetric();
  const { CiphertextBlob } = await client.send(
    new EncryptCommand({ KeyId, Plaintext: Message, EncryptionContext }),
  );
  const open = (context: Record<string, string> | undefined, blob = CiphertextBlob) =>
    client.send(new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: context }));
  const turned = { subject: EncryptionContext.subject, org: EncryptionContext.org };
  expect((await open(turned)).Plaintext).toEqual(Message);
  const others: readonly (Record<string, string> | undefined)[] = [
    undefined,
    {},
    { org: 'acme' },
    { ...EncryptionContext, subject: 'office:ANA' },
    { ...EncryptionContext, more: '' },
  ];
  for (const context of others) {
    await expect(open(context)).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
  }
  const changed = Uint8Array.from(CiphertextBlob ?? []);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  for (const blob of [changed, Buffer.from('nonsense'), Uint8Array.of(0)]) {
    await expect(open(EncryptionContext, blob)).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
  }
});

test('a key is used for what it is for, and a ciphertext is of its own key alone', async () => {
  const { client, KeyId, signing } = await withSymmetric();
  const other = await client.send(new CreateKeyCommand({}));
  const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId, Plaintext: Message }));
  const otherId = other.KeyMetadata?.KeyId;
  await expect(client.send(new DecryptCommand({ CiphertextBlob, KeyId: otherId }))).rejects.toMatchObject({
    name: 'IncorrectKeyException',
  });
  expect((await client.send(new DecryptCommand({ CiphertextBlob, KeyId }))).Plaintext).toEqual(Message);
  const wrong = [
    new EncryptCommand({ KeyId: signing, Plaintext: Message }),
    new GenerateDataKeyCommand({ KeyId: signing, KeySpec: 'AES_256' }),
  ] as const;
  for (const command of wrong) {
    const sent = command instanceof EncryptCommand ? client.send(command) : client.send(command);
    await expect(sent).rejects.toMatchObject({ name: 'InvalidKeyUsageException' });
  }
  const SigningAlgorithm = 'RSASSA_PKCS1_V1_5_SHA_256';
  await expect(client.send(new SignCommand({ KeyId, SigningAlgorithm, Message }))).rejects.toMatchObject({
    name: 'InvalidKeyUsageException',
  });
  await client.send(new DisableKeyCommand({ KeyId }));
  await expect(client.send(new DecryptCommand({ CiphertextBlob }))).rejects.toMatchObject({
    name: 'DisabledException',
  });
});

test.for([
  { KeySpec: 'AES_256', NumberOfBytes: 32 },
  {},
  { NumberOfBytes: 0 },
  { NumberOfBytes: 1_025 },
] as const)('a data key of %j is none', async (size) => {
  const { client, KeyId } = await withSymmetric();
  await expect(client.send(new GenerateDataKeyCommand({ KeyId, ...size }))).rejects.toMatchObject({
    name: 'ValidationException',
  });
});

test('more than 4,096 bytes are encrypted with a data key, as in KMS', async () => {
  const { client, KeyId } = await withSymmetric();
  for (const size of [0, 4_097]) {
    const Plaintext = new Uint8Array(size);
    await expect(client.send(new EncryptCommand({ KeyId, Plaintext }))).rejects.toMatchObject({
      name: 'ValidationException',
    });
  }
});

test('keys outlive a restart, and those of an older file still sign', () => {
  const directory = temporaryDirectory();
  const keys = new KeyStore(directory);
  const symmetric = keys.create('one', '', 0, 'SYMMETRIC_DEFAULT');
  const signing = keys.create('two', '', 0);
  const file = join(directory, 'keys.json');
  const older = readFileSync(file, 'utf8')
    .replace(/"spec": "RSA_2048",\s*/, '')
    .replace(/"material": "-----/, '"privateKeyPem": "-----');
  writeFileSync(file, older);
  const again = new KeyStore(directory);
  expect(again.find('one')).toEqual(symmetric);
  expect(again.find('two')).toEqual(signing);
});
