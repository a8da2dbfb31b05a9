import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type JsonObject, parseObject } from '../json.ts';
import { type AwsAnswer, type AwsCall, AwsError, type ServiceName } from './aws-call.ts';
import type { Fault, Faults } from './faults.ts';
import { type LoopbackServer, startLoopbackServer } from './loopback-server.ts';

/** How one AWS service speaks. */
export type AwsService = {
  readonly name: ServiceName;
  /** Operation and input of a request; `undefined` where it is none. */
  readonly parse: (target: string, body: Buffer) => { operation: string; input: JsonObject } | undefined;
  /** Answers a call. @throws AwsError for a refusal */
  readonly answer: (call: AwsCall) => AwsAnswer | Promise<AwsAnswer>;
  readonly refuse: (error: AwsError) => AwsAnswer;
  readonly throttling: string;
  readonly failure: string;
  readonly denial: string;
};

/**
 * Serves an AWS service on loopback. Signatures are not verified, but a request without a SigV4 `Authorization` is refused;
 * faults come before the service.
 */
export function startAwsEndpoint(service: AwsService, faults: Faults): Promise<LoopbackServer> {
  return startLoopbackServer(async ({ headers }, body, response) => {
    response.setHeader('x-amzn-RequestId', randomUUID());
    const target = String(headers['x-amz-target'] ?? '');
    const accessKeyId = /^AWS4-\S+ .*Credential=([^/,\s]+)/.exec(headers.authorization ?? '')?.[1];
    const request = service.parse(target, body);
    if (accessKeyId === undefined) {
      const message = 'Request is missing Authentication Token';
      return send(response, service.refuse(new AwsError('MissingAuthenticationTokenException', message)));
    }
    if (request === undefined) {
      return send(response, service.refuse(new AwsError('UnknownOperationException', 'unknown operation')));
    }
    const call: AwsCall = { service: service.name, ...request, accessKeyId, headers, body };
    const fault = faults.find(call, Date.now());
    if (fault?.mode === 'timeout') return hold(response, fault.ms);
    if (fault?.mode === 'slow') await sleep(fault.ms, undefined, { ref: false });
    try {
      if (fault !== undefined) refuseBy(fault, service);
      send(response, await service.answer(call));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      send(response, service.refuse(error));
    }
  });
}

/** Parser of the AWS JSON protocols: `{prefix}.{Operation}` in `X-Amz-Target`. */
export function parseAwsJson(prefix: string): AwsService['parse'] {
  return (target, body) => {
    const [given, operation, ...rest] = target.split('.');
    const input = parseObject(body.toString() || '{}');
    const isKnown = given === prefix && operation !== undefined && rest.length === 0 && input !== undefined;
    return isKnown ? { operation, input } : undefined;
  };
}

/** An answer of AWS JSON 1.1. */
export function answerJson(value: object, contentType = 'application/x-amz-json-1.1'): AwsAnswer {
  return { status: 200, contentType, body: JSON.stringify(value) };
}

/** A refusal of AWS JSON 1.1. */
export function refuseJson(error: AwsError, contentType = 'application/x-amz-json-1.1'): AwsAnswer {
  const body = JSON.stringify({ __type: error.code, message: error.message, Message: error.message });
  return { status: error.status, contentType, body };
}

function refuseBy({ mode }: Fault, service: AwsService): void {
  if (mode === 'throttle') throw new AwsError(service.throttling, 'Rate exceeded');
  if (mode === 'error')
    throw new AwsError(service.failure, 'The request failed because of a rehearsed fault', 500);
  if (mode === 'deny') throw new AwsError(service.denial, 'not authorized to perform this operation');
}

/** Answers nothing, then hangs up. */
async function hold(response: ServerResponse, ms: number): Promise<void> {
  const timer = setTimeout(() => response.destroy(), ms);
  timer.unref();
  response.once('close', () => clearTimeout(timer));
}

function send(response: ServerResponse, { status, contentType, body, headers }: AwsAnswer): void {
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}
