import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { devNull } from 'node:os';
import { join } from 'node:path';
import type { Json } from './json.ts';
import { toObject } from './json.ts';
import { toAccessKeyId } from './lambda/credentials.ts';
import { EnvironmentPool } from './lambda/environment-pool.ts';
import { FunctionLog } from './lambda/function-log.ts';
import { toFunctionName } from './lambda/function-name.ts';
import { LambdaEnvironment, type Outcome } from './lambda/lambda-environment.ts';
import { REGION } from './physical-name.ts';
import type { Resource, Template } from './template.ts';

/** Lambda's limit on the payload of a synchronous invocation, in and out. */
const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;

/**
 * Lambda would start a thousand. Each is a thread of some 40 MB, started on demand; an open stream holds one, and a call through the
 * gateway to a server that calls back through it holds two.
 */
const DEFAULT_MAX_ENVIRONMENTS = 64;

const TOO_LARGE = 'the payload is above 6 MB';

/** What a caller of a function may add. Without `onChunk` a streamed answer is collected, as `Invoke` does on AWS. */
export type InvokeOptions = {
  readonly requestId?: string;
  readonly onChunk?: (bytes: Uint8Array) => Promise<void> | void;
  readonly gone?: AbortSignal;
};

/** Settings of the local Lambda. */
export type LambdaOptions = {
  readonly template: Template;
  readonly logDir: string;
  /** `AWS_ENDPOINT_URL_*` of the local endpoints, given to every function. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** Most execution environments per function; default 64. */
  readonly maxEnvironments?: number;
};

type LocalFunction = {
  readonly pool: EnvironmentPool;
  readonly log: FunctionLog;
  readonly timeoutMs: number;
};

/** Runs the functions of a template from their built bundles, in worker threads, by Lambda's rules. */
export class Lambda {
  readonly #options: LambdaOptions;
  readonly #functions = new Map<string, LocalFunction>();

  constructor(options: LambdaOptions) {
    this.#options = options;
    mkdirSync(options.logDir, { recursive: true, mode: 0o700 });
  }

  /**
   * Invokes a function with an event, by logical id. A payload above 6 MB, in or out, fails as on AWS.
   * @throws Error where the template has no such function
   */
  async invoke(logicalId: string, event: Json, options: InvokeOptions = {}): Promise<Outcome> {
    const local = this.#function(logicalId);
    const payload = JSON.stringify(event);
    if (Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES)
      return failed('RequestEntityTooLargeException', TOO_LARGE);
    const chunks: Uint8Array[] = [];
    const outcome = await local.pool.with((environment) =>
      environment.invoke({
        requestId: options.requestId ?? randomUUID(),
        event: payload,
        timeoutMs: local.timeoutMs,
        onChunk: options.onChunk ?? ((bytes) => void chunks.push(bytes)),
        gone: options.gone,
      }),
    );
    if (outcome === undefined) return failed('ServiceException', 'the local Lambda is closed');
    if (outcome.kind === 'failed') local.log.write(JSON.stringify(outcome.error));
    const answer: Outcome =
      outcome.kind === 'streamed' && options.onChunk === undefined
        ? { kind: 'returned', payload: Buffer.concat(chunks).toString() }
        : outcome;
    const isTooLarge = answer.kind === 'returned' && Buffer.byteLength(answer.payload) > MAX_PAYLOAD_BYTES;
    return isTooLarge ? failed('Function.ResponseSizeTooLarge', TOO_LARGE) : answer;
  }

  /** The logical id of the function that people call `name`; a logical id is accepted too. */
  find(name: string): string | undefined {
    return this.#options.template.ofType('AWS::Lambda::Function').find(({ logicalId }) => {
      return logicalId === name || toFunctionName(logicalId) === name;
    })?.logicalId;
  }

  /** Ends every environment, whatever it is doing, and closes the logs. */
  async close(): Promise<void> {
    for (const { pool, log } of this.#functions.values()) {
      await pool.close();
      await log.close();
    }
  }

  #function(logicalId: string): LocalFunction {
    const known = this.#functions.get(logicalId);
    if (known !== undefined) return known;
    const { template, logDir, maxEnvironments } = this.#options;
    const resource = template.ofType('AWS::Lambda::Function').find((one) => one.logicalId === logicalId);
    if (resource === undefined) throw new Error(`the template has no function \`${logicalId}\``);
    const log = new FunctionLog(join(logDir, `${toFunctionName(logicalId)}.log`));
    const start = {
      directory: template.assetDirectory(resource),
      handler: template.text(resource.properties['Handler']) ?? 'index.handler',
      functionName: template.ref(logicalId),
      functionArn: template.attribute(logicalId, 'Arn'),
      memoryMb: Number(template.text(resource.properties['MemorySize']) ?? 128),
    };
    const environment = this.#environment(resource);
    const limit = maxEnvironments ?? DEFAULT_MAX_ENVIRONMENTS;
    const pool = new EnvironmentPool(
      limit,
      () => new LambdaEnvironment(start, environment, log),
      () => log.write(`all ${limit} environments are in use; an invocation waits for one`),
    );
    const timeoutMs = Number(template.text(resource.properties['Timeout']) ?? 3) * 1000;
    const local = { pool, log, timeoutMs };
    this.#functions.set(logicalId, local);
    return local;
  }

  /** The whole environment of a function: the template's, the platform's, and nothing of the developer's own. */
  #environment(resource: Resource): Record<string, string> {
    const { template, endpoints } = this.#options;
    const variables = toObject(toObject(resource.properties['Environment'])['Variables']);
    const settings = Object.entries(variables).map(([name, value]) => [name, template.text(value) ?? '']);
    return {
      ...Object.fromEntries(settings),
      AWS_REGION: REGION,
      AWS_LAMBDA_FUNCTION_NAME: template.ref(resource.logicalId),
      AWS_ACCESS_KEY_ID: toAccessKeyId(resource.logicalId),
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_CONFIG_FILE: devNull,
      AWS_SHARED_CREDENTIALS_FILE: devNull,
      ...endpoints,
    };
  }
}

function failed(errorType: string, errorMessage: string): Outcome {
  return { kind: 'failed', error: { errorType, errorMessage, trace: [] } };
}
