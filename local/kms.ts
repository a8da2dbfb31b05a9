import { createPublicKey, randomBytes, randomUUID } from 'node:crypto';
import { type AwsCall, AwsError } from './endpoint/aws-call.ts';
import {
  type AwsService,
  answerJson,
  parseAwsJson,
  refuseJson,
  startAwsEndpoint,
} from './endpoint/aws-endpoint.ts';
import type { Faults } from './endpoint/faults.ts';
import type { LoopbackServer } from './endpoint/loopback-server.ts';
import { type JsonObject, toText } from './json.ts';
import type { KeyStore, StoredKey } from './kms/key-store.ts';
import { type KeySpec, toKeySpec, usageOf } from './kms/key-usage.ts';
import { type Signable, signRsa, verifyRsa } from './kms/rsa-signature.ts';
import { dataKeyBytes, decryptFor, encryptFor, keyIdOf } from './kms/symmetric.ts';
import { ACCOUNT_ID, REGION, toKeyArn } from './physical-name.ts';

const DAY_SECONDS = 86_400;

/** Serves KMS on loopback: RSA_2048 keys that sign, symmetric ones that encrypt, and nothing else. */
export function startKms(keys: KeyStore, faults: Faults): Promise<LoopbackServer> {
  const service: AwsService = {
    name: 'kms',
    parse: parseAwsJson('TrentService'),
    answer: (call) => answerJson(callKms(keys, call, Date.now() / 1000)),
    refuse: (error) => refuseJson(error),
    throttling: 'ThrottlingException',
    failure: 'KMSInternalException',
    denial: 'AccessDeniedException',
  };
  return startAwsEndpoint(service, faults);
}

/** Answers one call of KMS. @throws AwsError by the service's own codes */
export function callKms(
  keys: KeyStore,
  call: Pick<AwsCall, 'operation' | 'input'>,
  nowSeconds: number,
): object {
  const { operation, input } = call;
  switch (operation) {
    case 'CreateKey':
      return { KeyMetadata: toMetadata(create(keys, input, nowSeconds)) };
    case 'DescribeKey':
      return { KeyMetadata: toMetadata(find(keys, input)) };
    case 'ListKeys':
      return { Keys: keys.all().map(({ id }) => ({ KeyId: id, KeyArn: toKeyArn(id) })), Truncated: false };
    case 'GetPublicKey': {
      const key = usable(keys, input, 'RSA_2048');
      const spki = createPublicKey(keys.privateKey(key)).export({ type: 'spki', format: 'der' });
      return { ...usageOf(key.spec), KeyId: toKeyArn(key.id), PublicKey: spki.toString('base64') };
    }
    case 'Sign': {
      const key = usable(keys, input, 'RSA_2048');
      const SigningAlgorithm = text(input, 'SigningAlgorithm');
      const signature = signRsa(keys.privateKey(key), SigningAlgorithm, toSignable(input));
      return { KeyId: toKeyArn(key.id), SigningAlgorithm, Signature: signature.toString('base64') };
    }
    case 'Verify': {
      const key = usable(keys, input, 'RSA_2048');
      const SigningAlgorithm = text(input, 'SigningAlgorithm');
      const signature = Buffer.from(text(input, 'Signature'), 'base64');
      const publicKey = createPublicKey(keys.privateKey(key));
      if (!verifyRsa(publicKey, SigningAlgorithm, toSignable(input), signature)) {
        throw new AwsError('KMSInvalidSignatureException', 'the signature is not valid');
      }
      return { KeyId: toKeyArn(key.id), SigningAlgorithm, SignatureValid: true };
    }
    case 'GenerateDataKey':
    case 'GenerateDataKeyWithoutPlaintext': {
      const key = usable(keys, input, 'SYMMETRIC_DEFAULT');
      const dataKey = randomBytes(dataKeyBytes(input));
      const CiphertextBlob = encryptFor(key, dataKey, input).toString('base64');
      const isHidden = operation === 'GenerateDataKeyWithoutPlaintext';
      return {
        KeyId: toKeyArn(key.id),
        CiphertextBlob,
        ...(isHidden ? {} : { Plaintext: dataKey.toString('base64') }),
      };
    }
    case 'Encrypt': {
      const key = usable(keys, input, 'SYMMETRIC_DEFAULT');
      const plaintext = Buffer.from(text(input, 'Plaintext'), 'base64');
      const CiphertextBlob = encryptFor(key, plaintext, input).toString('base64');
      return { KeyId: toKeyArn(key.id), CiphertextBlob, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
    }
    case 'Decrypt': {
      const blob = Buffer.from(text(input, 'CiphertextBlob'), 'base64');
      const key = keyOfCiphertext(keys, blob, input);
      const Plaintext = decryptFor(key, blob, input).toString('base64');
      return { KeyId: toKeyArn(key.id), Plaintext, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
    }
    case 'CreateAlias': {
      const [alias, key] = [text(input, 'AliasName'), find(keys, input, 'TargetKeyId')];
      if (!/^alias\/[\w/-]+$/.test(alias)) throw new AwsError('InvalidAliasNameException', 'no alias name');
      if (keys.aliases().some(([name]) => name === alias)) {
        throw new AwsError('AlreadyExistsException', `An alias with the name ${alias} already exists`);
      }
      keys.putAlias(alias, key.id);
      return {};
    }
    case 'ListAliases':
      return { Aliases: keys.aliases().map(toAlias), Truncated: false };
    case 'EnableKey':
    case 'DisableKey':
      keys.put({ ...notDying(find(keys, input)), isEnabled: operation === 'EnableKey' });
      return {};
    case 'ScheduleKeyDeletion': {
      const days = Number(input['PendingWindowInDays'] ?? 30);
      if (!(days >= 7 && days <= 30))
        throw new AwsError('ValidationException', 'PendingWindowInDays is 7 to 30');
      const key = {
        ...notDying(find(keys, input)),
        isEnabled: false,
        deletionAt: nowSeconds + days * DAY_SECONDS,
      };
      keys.put(key);
      return {
        KeyId: toKeyArn(key.id),
        DeletionDate: key.deletionAt,
        KeyState: stateOf(key),
        PendingWindowInDays: days,
      };
    }
    case 'CancelKeyDeletion': {
      const key = find(keys, input);
      if (key.deletionAt === undefined) throw invalidState(key);
      keys.put({ ...key, deletionAt: undefined });
      return { KeyId: toKeyArn(key.id) };
    }
    default:
      throw new AwsError('UnknownOperationException', `${operation} has no local counterpart`);
  }
}

function create(keys: KeyStore, input: JsonObject, nowSeconds: number): StoredKey {
  const spec = toKeySpec(toText(input['KeySpec']), toText(input['KeyUsage']));
  if (spec === undefined) {
    throw new AwsError(
      'UnsupportedOperationException',
      'the local KMS makes keys of RSA_2048 for SIGN_VERIFY and of SYMMETRIC_DEFAULT for ENCRYPT_DECRYPT only',
    );
  }
  return keys.create(randomUUID(), toText(input['Description']) ?? '', nowSeconds, spec);
}

function find(keys: KeyStore, input: JsonObject, member = 'KeyId'): StoredKey {
  const reference = text(input, member);
  const key = keys.find(reference);
  if (key === undefined) throw new AwsError('NotFoundException', `Key '${reference}' does not exist`);
  return key;
}

function usable(keys: KeyStore, input: JsonObject, spec: KeySpec): StoredKey {
  return usableAs(spec, find(keys, input));
}

function usableAs(spec: KeySpec, found: StoredKey): StoredKey {
  const key = notDying(found);
  if (!key.isEnabled) throw new AwsError('DisabledException', `${toKeyArn(key.id)} is disabled.`);
  if (key.spec === spec) return key;
  throw new AwsError('InvalidKeyUsageException', `${toKeyArn(key.id)} is a key of ${key.spec}.`);
}

/** The key that a ciphertext names; where the caller names one as well, it must be the same. */
function keyOfCiphertext(keys: KeyStore, blob: Buffer, input: JsonObject): StoredKey {
  const key = keys.find(keyIdOf(blob));
  if (key === undefined) throw new AwsError('InvalidCiphertextException', 'the ciphertext is not valid');
  if (input['KeyId'] !== undefined && find(keys, input).id !== key.id) {
    throw new AwsError('IncorrectKeyException', 'the ciphertext is of another key');
  }
  return usableAs('SYMMETRIC_DEFAULT', key);
}

function notDying(key: StoredKey): StoredKey {
  if (key.deletionAt !== undefined) throw invalidState(key);
  return key;
}

function invalidState(key: StoredKey): AwsError {
  const message = `${toKeyArn(key.id)} is ${stateOf(key)}.`;
  return new AwsError('KMSInvalidStateException', message);
}

function toSignable(input: JsonObject): Signable {
  const kind = input['MessageType'] ?? 'RAW';
  if (kind !== 'RAW' && kind !== 'DIGEST')
    throw new AwsError('ValidationException', 'MessageType is RAW or DIGEST');
  return { bytes: Buffer.from(text(input, 'Message'), 'base64'), isDigest: kind === 'DIGEST' };
}

function text(input: JsonObject, member: string): string {
  const value = toText(input[member]);
  if (value === undefined) throw new AwsError('ValidationException', `${member} is missing`);
  return value;
}

function stateOf({ isEnabled, deletionAt }: StoredKey): string {
  if (deletionAt !== undefined) return 'PendingDeletion';
  return isEnabled ? 'Enabled' : 'Disabled';
}

function toMetadata(key: StoredKey): object {
  return {
    ...usageOf(key.spec),
    AWSAccountId: ACCOUNT_ID,
    Arn: toKeyArn(key.id),
    KeyId: key.id,
    Description: key.description,
    CreationDate: key.createdAt,
    Enabled: key.isEnabled,
    KeyState: stateOf(key),
    KeyManager: 'CUSTOMER',
    Origin: 'AWS_KMS',
    MultiRegion: false,
    ...(key.deletionAt === undefined ? {} : { DeletionDate: key.deletionAt }),
  };
}

function toAlias([AliasName, TargetKeyId]: [string, string]): object {
  const AliasArn = `arn:aws:kms:${REGION}:${ACCOUNT_ID}:${AliasName}`;
  return { AliasName, AliasArn, TargetKeyId };
}
