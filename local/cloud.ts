import { join } from 'node:path';
import type { Disconnects } from './api-gateway/lambda-integration.ts';
import { startApiGateway } from './api-gateway.ts';
import { claimDataDirectory } from './data-directory.ts';
import { createAuthorization } from './dynamodb/authorization.ts';
import { startDynamodb } from './dynamodb.ts';
import { startControlServer } from './endpoint/control-server.ts';
import { Faults } from './endpoint/faults.ts';
import { Principals } from './iam/principals.ts';
import { Roles } from './iam/roles.ts';
import { type Json, parseJson, toObject } from './json.ts';
import { KeyStore } from './kms/key-store.ts';
import { toKeySpec } from './kms/key-usage.ts';
import { startKms } from './kms.ts';
import { Lambda } from './lambda.ts';
import { startSchedules } from './schedule.ts';
import { createTemplateSecrets, seedSecrets } from './secrets-manager/secret-seed.ts';
import { SecretStore } from './secrets-manager/secret-store.ts';
import { SecretsManager, startSecretsManager } from './secrets-manager.ts';
import { startSts } from './sts.ts';
import { Template } from './template.ts';

/** What a local cloud is started with. */
export type LocalCloudOptions = {
  /** Directory of the synthesized cloud assembly. */
  readonly assemblyDir: string;
  /** Where everything that outlives a run is kept; made where it is missing. */
  readonly dataDir: string;
  /** Port of the API on 127.0.0.1; 0 for any free one. */
  readonly port: number;
  /** Stage that the assembly must have been synthesized for. */
  readonly stage?: string;
  /** Secrets to put into Secrets Manager, by full name. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Does a client that goes away end its function's stream? Default `reported`; AWS does not report. */
  readonly disconnects?: Disconnects;
  /** Most execution environments per function; default 64. */
  readonly maxEnvironments?: number;
  /** Gets what the emulation itself has to say: one line, no secrets. */
  readonly log: (line: string) => void;
};

/** A running local cloud. */
export type LocalCloud = {
  readonly origin: string;
  /** Base URL of the control server: `{controlUrl}/faults`. */
  readonly controlUrl: string;
  /** `AWS_ENDPOINT_URL_*` for the AWS CLI and SDKs; any credentials are accepted. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** Invokes a function directly, by logical id or by a name such as `control`. @throws Error where the function failed */
  readonly invoke: (functionName: string, event: Json) => Promise<Json>;
  /** Ends everything; nothing of it is left running when this resolves. */
  readonly close: () => Promise<void>;
};

/**
 * Runs the stack of a cloud assembly on this machine: its API, functions, tables, secrets and keys.
 * @throws Error in one clear line where the port or the data directory is in use, or where something is not emulated
 */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  const template = Template.read(options.assemblyDir);
  checkStage(template, options.stage);
  const data = await claimDataDirectory(options.dataDir);
  const closers: (() => Promise<void>)[] = [data.release];
  const close = async () => {
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
  };
  const keep = <T extends { readonly close: () => Promise<void> }>(part: T): T => {
    closers.push(() => part.close());
    return part;
  };
  try {
    const tables = template.ofType('AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable');
    const faults = new Faults(tables.map(({ logicalId }) => template.ref(logicalId)));
    const auditTable = settingOf(template, 'AUDIT_TABLE');
    const manager = new SecretsManager(new SecretStore(data.path));
    createTemplateSecrets(template, manager);
    seedSecrets(data.path, manager, options.secrets);
    const keys = new KeyStore(data.path);
    createTemplateKeys(template, keys);
    const principals = new Principals(new Roles(template));
    const dynamodb = await startDynamodb({
      authorize: createAuthorization(template, principals),
      template,
      directory: join(data.path, 'dynamodb'),
      faults,
      audit:
        auditTable === undefined ? undefined : { table: auditTable, file: join(data.path, 'audit.jsonl') },
    });
    keep(dynamodb);
    const endpoints = {
      AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: keep(await startSecretsManager(manager, faults)).url,
      AWS_ENDPOINT_URL_KMS: keep(await startKms(keys, faults)).url,
      AWS_ENDPOINT_URL_STS: keep(await startSts(principals, faults)).url,
    };
    const { maxEnvironments, disconnects = 'reported', port, log } = options;
    const lambda = keep(
      new Lambda({
        template,
        logDir: join(data.path, 'logs'),
        endpoints,
        ...(maxEnvironments === undefined ? {} : { maxEnvironments }),
      }),
    );
    keep(startSchedules(template, lambda));
    const control = keep(await startControlServer(faults));
    const api = keep(await startApiGateway({ template, lambda, port, disconnects, log }));
    return {
      origin: api.origin,
      controlUrl: control.url,
      endpoints,
      invoke: (name, event) => invokeByName(lambda, name, event),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function createTemplateKeys(template: Template, keys: KeyStore): void {
  for (const { logicalId, properties } of template.ofType('AWS::KMS::Key')) {
    const spec = toKeySpec(template.text(properties['KeySpec']), template.text(properties['KeyUsage']));
    if (spec === undefined) continue;
    const id = template.ref(logicalId);
    const description = template.text(properties['Description']) ?? '';
    if (keys.find(id) === undefined) keys.create(id, description, Date.now() / 1000, spec);
  }
  for (const { properties } of template.ofType('AWS::KMS::Alias')) {
    const key = keys.find(template.text(properties['TargetKeyId']) ?? '');
    const alias = template.text(properties['AliasName']);
    if (key !== undefined && alias !== undefined) keys.putAlias(alias, key.id);
  }
}

function checkStage(template: Template, stage: string | undefined): void {
  const found = settingOf(template, 'SALLYPORT_STAGE');
  if (stage !== undefined && found !== undefined && found !== stage) {
    throw new Error(`the cloud assembly is of stage \`${found}\`, not \`${stage}\``);
  }
}

/** A setting that every function of the deployment has alike. */
function settingOf(template: Template, name: string): string | undefined {
  for (const { properties } of template.ofType('AWS::Lambda::Function')) {
    const variables = toObject(toObject(properties['Environment'])['Variables']);
    const value = template.text(variables[name]);
    if (value !== undefined) return value;
  }
  return undefined;
}

async function invokeByName(lambda: Lambda, name: string, event: Json): Promise<Json> {
  const logicalId = lambda.find(name);
  if (logicalId === undefined) throw new Error(`there is no function \`${name}\``);
  const outcome = await lambda.invoke(logicalId, event);
  if (outcome.kind === 'returned') return parseJson(outcome.payload);
  throw new Error(
    outcome.kind === 'failed' ? `${name}: ${outcome.error.errorMessage}` : `${name} answered nothing`,
  );
}
