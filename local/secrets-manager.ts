import { randomUUID } from 'node:crypto';
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
import { isObject, type JsonObject, toArray, toText } from './json.ts';
import { toSecretArn } from './physical-name.ts';
import { createPassword } from './secrets-manager/random-password.ts';
import { describeSecret, listVersions } from './secrets-manager/secret-description.ts';
import { filterSecrets } from './secrets-manager/secret-filter.ts';
import { addVersion, holderOf, updateStage } from './secrets-manager/secret-stages.ts';
import type { SecretStore, StoredSecret, StoredVersion } from './secrets-manager/secret-store.ts';

const NAME = /^[A-Za-z0-9/_+=.@-]{1,512}$/;
const MAX_VALUE_BYTES = 65_536;
const DAY_SECONDS = 86_400;

/** Serves Secrets Manager on loopback, faithful in its version stages. */
export function startSecretsManager(manager: SecretsManager, faults: Faults): Promise<LoopbackServer> {
  const service: AwsService = {
    name: 'secretsmanager',
    parse: parseAwsJson('secretsmanager'),
    answer: (call) => answerJson(manager.call(call)),
    refuse: (error) => refuseJson(error),
    throttling: 'ThrottlingException',
    failure: 'InternalServiceError',
    denial: 'AccessDeniedException',
  };
  return startAwsEndpoint(service, faults);
}

/** The operations of Secrets Manager over a store. */
export class SecretsManager {
  readonly #store: SecretStore;
  readonly #nowSeconds: () => number;

  constructor(store: SecretStore, nowSeconds: () => number = () => Date.now() / 1000) {
    this.#store = store;
    this.#nowSeconds = nowSeconds;
  }

  /** Answers one call. @throws AwsError by the service's own codes */
  call({ operation, input }: Pick<AwsCall, 'operation' | 'input'>): object {
    this.#purge();
    switch (operation) {
      case 'CreateSecret':
        return this.#create(input);
      case 'GetSecretValue':
        return this.#getValue(input);
      case 'PutSecretValue':
        return this.#putValue(input);
      case 'UpdateSecret':
        return this.#update(input);
      case 'UpdateSecretVersionStage': {
        const [from, to] = [toText(input['RemoveFromVersionId']), toText(input['MoveToVersionId'])];
        return this.#save(updateStage(this.#live(input), required(input, 'VersionStage'), from, to));
      }
      case 'DescribeSecret':
        return describeSecret(this.#find(input));
      case 'ListSecrets':
        return filterSecrets(this.#store.all(), input);
      case 'ListSecretVersionIds':
        return listVersions(this.#find(input), input['IncludeDeprecated'] === true);
      case 'DeleteSecret':
        return this.#delete(input);
      case 'RestoreSecret':
        return this.#save({ ...this.#find(input), deletedAt: undefined });
      case 'GetRandomPassword':
        return { RandomPassword: createPassword(input) };
      case 'TagResource':
        return this.#tag(input, (tags) => ({ ...tags, ...tagsOf(input) }));
      case 'UntagResource': {
        const keys = toArray(input['TagKeys']);
        return this.#tag(input, (tags) =>
          Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.includes(key))),
        );
      }
      default:
        throw new AwsError('UnknownOperationException', `${operation} has no local counterpart`);
    }
  }

  #create(input: JsonObject): object {
    const name = required(input, 'Name');
    if (!NAME.test(name)) throw new AwsError('InvalidParameterException', 'Invalid name.');
    const known = this.#store.find(name);
    if (known?.deletedAt !== undefined) {
      const message = `You can't create this secret because a secret with this name is already scheduled for deletion.`;
      throw new AwsError('InvalidRequestException', message);
    }
    if (known !== undefined) {
      const message = `The operation failed because the secret ${name} already exists.`;
      throw new AwsError('ResourceExistsException', message);
    }
    const now = this.#nowSeconds();
    const secret: StoredSecret = {
      name,
      arn: toSecretArn(name),
      description: toText(input['Description']),
      tags: tagsOf(input),
      versions: [],
      createdAt: now,
      changedAt: now,
      deletedAt: undefined,
      deletionWindowDays: 0,
    };
    const version = this.#newVersion(input);
    return this.#save(version === undefined ? secret : addVersion(secret, version, []), version?.id);
  }

  #getValue(input: JsonObject): object {
    const secret = this.#live(input);
    const [id, stage] = [toText(input['VersionId']), toText(input['VersionStage'])];
    const version =
      id === undefined
        ? holderOf(secret, stage ?? 'AWSCURRENT')
        : secret.versions.find((one) => one.id === id);
    if (version === undefined) {
      const asked = id === undefined ? `staging label: ${stage ?? 'AWSCURRENT'}` : `VersionId: ${id}`;
      const message = `Secrets Manager can't find the specified secret value for ${asked}`;
      throw new AwsError('ResourceNotFoundException', message);
    }
    if (stage !== undefined && !version.stages.includes(stage)) {
      const message = 'You provided a VersionStage that is not associated to the provided VersionId.';
      throw new AwsError('InvalidRequestException', message);
    }
    return {
      ARN: secret.arn,
      Name: secret.name,
      VersionId: version.id,
      VersionStages: version.stages,
      CreatedDate: version.createdAt,
      ...('text' in version.value
        ? { SecretString: version.value.text }
        : { SecretBinary: version.value.binary }),
    };
  }

  #putValue(input: JsonObject): object {
    const secret = this.#live(input);
    const version = this.#newVersion(input);
    if (version === undefined) {
      throw new AwsError(
        'InvalidParameterException',
        'You must provide either SecretString or SecretBinary.',
      );
    }
    const stages = toArray(input['VersionStages']).map(String);
    const changed = addVersion(secret, version, stages.length > 0 ? stages : ['AWSCURRENT']);
    const attached = changed.versions.find(({ id }) => id === version.id)?.stages ?? [];
    return { ...this.#save(changed, version.id), VersionStages: attached };
  }

  #update(input: JsonObject): object {
    const secret = this.#live(input);
    const version = this.#newVersion(input);
    const described = { ...secret, description: toText(input['Description']) ?? secret.description };
    const changed = version === undefined ? described : addVersion(described, version, ['AWSCURRENT']);
    return this.#save(changed, version?.id);
  }

  #delete(input: JsonObject): object {
    const isForced = input['ForceDeleteWithoutRecovery'] === true;
    const days = input['RecoveryWindowInDays'];
    const isWindow = typeof days === 'number' && Number.isInteger(days) && days >= 7 && days <= 30;
    if (days !== undefined && (isForced || !isWindow)) {
      throw new AwsError(
        'InvalidParameterException',
        'RecoveryWindowInDays must be 7 to 30, without a forced deletion.',
      );
    }
    const id = required(input, 'SecretId');
    const now = this.#nowSeconds();
    if (isForced) {
      const known = this.#store.find(id);
      if (known !== undefined) this.#store.remove(known.name);
      return { ARN: known?.arn ?? toSecretArn(id), Name: known?.name ?? id, DeletionDate: now };
    }
    const secret = this.#live(input);
    const deletionWindowDays = isWindow ? days : 30;
    const answer = this.#save({ ...secret, deletedAt: now, deletionWindowDays });
    return { ...answer, DeletionDate: now + deletionWindowDays * DAY_SECONDS };
  }

  #tag(input: JsonObject, change: (tags: StoredSecret['tags']) => StoredSecret['tags']): object {
    const secret = this.#live(input);
    this.#save({ ...secret, tags: change(secret.tags) });
    return {};
  }

  #save(secret: StoredSecret, versionId?: string): object {
    this.#store.put({ ...secret, changedAt: this.#nowSeconds() });
    return {
      ARN: secret.arn,
      Name: secret.name,
      ...(versionId === undefined ? {} : { VersionId: versionId }),
    };
  }

  #find(input: JsonObject): StoredSecret {
    const secret = this.#store.find(required(input, 'SecretId'));
    if (secret !== undefined) return secret;
    throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  }

  #live(input: JsonObject): StoredSecret {
    const secret = this.#find(input);
    if (secret.deletedAt === undefined) return secret;
    const message = "You can't perform this operation on the secret because it was marked for deletion.";
    throw new AwsError('InvalidRequestException', message);
  }

  /** Forgets what is past its recovery window. */
  #purge(): void {
    const now = this.#nowSeconds();
    for (const { name, deletedAt, deletionWindowDays } of this.#store.all()) {
      if (deletedAt !== undefined && deletedAt + deletionWindowDays * DAY_SECONDS < now)
        this.#store.remove(name);
    }
  }

  #newVersion(input: JsonObject): Omit<StoredVersion, 'stages'> | undefined {
    const [text, binary] = [toText(input['SecretString']), toText(input['SecretBinary'])];
    if (text === undefined && binary === undefined) return undefined;
    if (text !== undefined && binary !== undefined) {
      throw new AwsError(
        'InvalidParameterException',
        "You can't specify both SecretString and SecretBinary.",
      );
    }
    const id = toText(input['ClientRequestToken']) ?? randomUUID();
    if (id.length < 32 || id.length > 64) {
      throw new AwsError('InvalidParameterException', 'ClientRequestToken must be 32-64 characters long.');
    }
    if (Buffer.byteLength(text ?? binary ?? '') > MAX_VALUE_BYTES) {
      throw new AwsError('InvalidParameterException', 'The secret value is too large.');
    }
    const value = text === undefined ? { binary: binary ?? '' } : { text };
    return { id, value, createdAt: this.#nowSeconds() };
  }
}

function required(input: JsonObject, name: string): string {
  const value = toText(input[name]);
  if (value !== undefined && value !== '') return value;
  throw new AwsError('InvalidParameterException', `You must provide a value for the ${name} parameter.`);
}

function tagsOf(input: JsonObject): Record<string, string> {
  const tags = toArray(input['Tags']).filter(isObject);
  return Object.fromEntries(tags.map((tag) => [String(tag['Key']), String(tag['Value'] ?? '')]));
}
