import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { FromWorker, FunctionError, ToWorker, WorkerStart } from './lambda-message.ts';
import { ResponseStream } from './response-stream.ts';

// One execution environment: loads a built bundle once, unmodified, and serves one invocation at a time.

type Handler = (...args: unknown[]) => unknown;

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');

// biome-ignore lint/nursery/noUnsafeTypeAssertion: lambda-environment.ts starts this worker with exactly this
const start = workerData as WorkerStart;
const platform = requirePort();

// Writable, as on AWS: the SDK adds members of its own.
Object.defineProperty(globalThis, 'awslambda', {
  writable: true,
  enumerable: true,
  configurable: true,
  value: {
    streamifyResponse: (handler: Handler) => Object.assign(handler, { [STREAMING]: 'response' }),
    HttpResponseStream: {
      from: (stream: ResponseStream, prelude: unknown) => {
        stream.setPrelude(prelude);
        return stream;
      },
    },
  },
});

const handler = await load();
let waiting: { readonly sequence: number; readonly accepted: () => void } | undefined;
let sequence = 0;
let current: ResponseStream | undefined;

platform.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'invoke':
      void invoke(message);
      break;
    case 'drained':
      // A late answer to a chunk of an earlier invocation is nothing to this one.
      if (waiting?.sequence === message.sequence) waiting.accepted();
      break;
    case 'gone':
      current?.destroy();
      break;
  }
});
post({ type: 'ready' });

async function invoke(message: Extract<ToWorker, { type: 'invoke' }>): Promise<void> {
  const event: unknown = JSON.parse(message.event);
  const context = toContext(message.requestId, message.deadlineMs);
  try {
    if (STREAMING in handler) {
      await stream(event, context);
      post({ type: 'ended' });
    } else {
      const result = await handler(event, context);
      post({ type: 'returned', payload: JSON.stringify(result) ?? 'null' });
    }
  } catch (error) {
    current?.destroy();
    post({ type: 'failed', error: toFunctionError(error) });
  }
}

async function stream(event: unknown, context: object): Promise<void> {
  const response = new ResponseStream((bytes, accepted) => {
    sequence += 1;
    waiting = { sequence, accepted };
    post({ type: 'chunk', sequence, bytes });
  });
  current = response;
  const closed = new Promise<void>((resolve) => response.once('close', resolve));
  await handler(event, response, context);
  // As on AWS: an invocation lives until its stream is ended, or until the function's timeout.
  await closed;
}

async function load(): Promise<Handler> {
  const dot = start.handler.lastIndexOf('.');
  const [file, name] = [start.handler.slice(0, dot), start.handler.slice(dot + 1)];
  const path = ['.mjs', '.js', '.cjs']
    .map((ending) => join(start.directory, file + ending))
    .find((candidate) => existsSync(candidate));
  if (path === undefined) throw new Error(`Runtime.ImportModuleError: no module \`${file}\` in the bundle`);
  const module: Record<string, unknown> = await import(pathToFileURL(path).href);
  const exported = module[name];
  if (typeof exported !== 'function') {
    throw new Error(`Runtime.HandlerNotFound: ${start.handler} is undefined or not exported`);
  }
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: what a bundle exports can be called with anything
  return exported as Handler;
}

function toContext(awsRequestId: string, deadlineMs: number): object {
  return {
    awsRequestId,
    functionName: start.functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: start.functionArn,
    memoryLimitInMB: String(start.memoryMb),
    logGroupName: `/aws/lambda/${start.functionName}`,
    logStreamName: 'local',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
}

function toFunctionError(error: unknown): FunctionError {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
}

function post(message: FromWorker): void {
  platform.postMessage(message);
}

function requirePort(): MessagePort {
  if (parentPort === null) throw new Error('lambda-worker runs in a worker thread');
  return parentPort;
}
