import { createPublicKey, randomUUID } from 'node:crypto';
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
import { SIGNING_ALGORITHMS, type Signable, signRsa, verifyRsa } from './kms/rsa-signature.ts';
import { ACCOUNT_ID, REGION, toKeyArn } from './physical-name.ts';

const DAY_SECONDS = 86_400;

/** What is the same for every key here. */
const USAGE = {
  KeySpec: 'RSA_2048',
  CustomerMasterKeySpec: 'RSA_2048',
  KeyUsage: 'SIGN_VERIFY',
  SigningAlgorithms: SIGNING_ALGORITHMS,
};

/** Serves KMS on loopback: RSA_2048 keys that sign, and nothing else. */
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
      const key = usable(keys, input);
      const spki = createPublicKey(keys.privateKey(key)).export({ type: 'spki', format: 'der' });
      return { ...USAGE, KeyId: toKeyArn(key.id), PublicKey: spki.toString('base64') };
    }
    case 'Sign': {
      const key = usable(keys, input);
      const SigningAlgorithm = text(input, 'SigningAlgorithm');
      const signature = signRsa(keys.privateKey(key), SigningAlgorithm, toSignable(input));
      return { KeyId: toKeyArn(key.id), SigningAlgorithm, Signature: signature.toString('base64') };
    }
    case 'Verify': {
      const key = usable(keys, input);
      const SigningAlgorithm = text(input, 'SigningAlgorithm');
      const signature = Buffer.from(text(input, 'Signature'), 'base64');
      const publicKey = createPublicKey(keys.privateKey(key));
      if (!verifyRsa(publicKey, SigningAlgorithm, toSignable(input), signature)) {
        throw new AwsError('KMSInvalidSignatureException', 'the signature is not valid');
      }
      return { KeyId: toKeyArn(key.id), SigningAlgorithm, SignatureValid: true };
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
  if (input['KeySpec'] !== 'RSA_2048' || input['KeyUsage'] !== 'SIGN_VERIFY') {
    throw new AwsError(
      'UnsupportedOperationException',
      'the local KMS makes keys of RSA_2048 for SIGN_VERIFY only',
    );
  }
  return keys.create(randomUUID(), toText(input['Description']) ?? '', nowSeconds);
}

function find(keys: KeyStore, input: JsonObject, member = 'KeyId'): StoredKey {
  const reference = text(input, member);
  const key = keys.find(reference);
  if (key === undefined) throw new AwsError('NotFoundException', `Key '${reference}' does not exist`);
  return key;
}

function usable(keys: KeyStore, input: JsonObject): StoredKey {
  const key = notDying(find(keys, input));
  if (!key.isEnabled) throw new AwsError('DisabledException', `${toKeyArn(key.id)} is disabled.`);
  return key;
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
    ...USAGE,
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
