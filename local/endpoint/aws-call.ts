import type { IncomingHttpHeaders } from 'node:http';
import type { JsonObject } from '../json.ts';

/** The AWS services that have a local endpoint. */
export const SERVICES = ['dynamodb', 'secretsmanager', 'kms', 'sts'] as const;

/** One of them. */
export type ServiceName = (typeof SERVICES)[number];

/** One call of an AWS API. */
export type AwsCall = {
  readonly service: ServiceName;
  readonly operation: string;
  readonly input: JsonObject;
  /** From the SigV4 header; the signature is not verified. */
  readonly accessKeyId: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
};

/** The answer to a call, ready to be written. */
export type AwsAnswer = {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A refusal by its AWS code, such as `ResourceNotFoundException`. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
    this.status = status;
  }
}
