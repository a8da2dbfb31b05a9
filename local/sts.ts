import { randomBytes } from 'node:crypto';
import { type AwsAnswer, type AwsCall, AwsError } from './endpoint/aws-call.ts';
import { type AwsService, startAwsEndpoint } from './endpoint/aws-endpoint.ts';
import type { Faults } from './endpoint/faults.ts';
import type { LoopbackServer } from './endpoint/loopback-server.ts';
import { toText } from './json.ts';
import { fromAccessKeyId } from './lambda/credentials.ts';
import { ACCOUNT_ID } from './physical-name.ts';

const SESSION_SECONDS = 3600;

/** Serves STS on loopback: GetCallerIdentity, and AssumeRole for any role. */
export function startSts(faults: Faults): Promise<LoopbackServer> {
  const service: AwsService = {
    name: 'sts',
    parse: (_target, body) => {
      const form = new URLSearchParams(body.toString());
      const operation = form.get('Action');
      return operation === null ? undefined : { operation, input: Object.fromEntries(form) };
    },
    answer,
    refuse: ({ code, message, status }) => ({
      status,
      contentType: 'text/xml',
      body: `<ErrorResponse><Error><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error></ErrorResponse>`,
    }),
    throttling: 'Throttling',
    failure: 'InternalFailure',
    denial: 'AccessDenied',
  };
  return startAwsEndpoint(service, faults);
}

function answer({ operation, input, accessKeyId }: AwsCall): AwsAnswer {
  switch (operation) {
    case 'GetCallerIdentity': {
      const name = fromAccessKeyId(accessKeyId) ?? 'local';
      const arn = `arn:aws:sts::${ACCOUNT_ID}:assumed-role/${name}/${name}`;
      return xml(operation, { Account: ACCOUNT_ID, Arn: arn, UserId: `${accessKeyId}:${name}` });
    }
    case 'AssumeRole': {
      const role = /^arn:aws:iam::\d{12}:role\/(.+)$/.exec(toText(input['RoleArn']) ?? '')?.[1];
      const session = toText(input['RoleSessionName']);
      if (role === undefined || session === undefined)
        throw new AwsError('ValidationError', 'RoleArn and RoleSessionName');
      const seconds = Number(input['DurationSeconds'] ?? SESSION_SECONDS);
      const id = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
      const arn = `arn:aws:sts::${ACCOUNT_ID}:assumed-role/${role}/${session}`;
      return xml(operation, {
        AssumedRoleUser: { AssumedRoleId: `${id}:${session}`, Arn: arn },
        Credentials: {
          AccessKeyId: id,
          SecretAccessKey: 'local',
          SessionToken: 'local',
          Expiration: new Date(Date.now() + seconds * 1000).toISOString(),
        },
      });
    }
    default:
      throw new AwsError('InvalidAction', `Could not find operation ${operation}`);
  }
}

type Elements = { readonly [name: string]: string | Elements };

function xml(operation: string, result: Elements): AwsAnswer {
  const content = write({ [`${operation}Result`]: result });
  const body = `<${operation}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${content}</${operation}Response>`;
  return { status: 200, contentType: 'text/xml', body };
}

function write(elements: Elements): string {
  return Object.entries(elements)
    .map(
      ([name, value]) => `<${name}>${typeof value === 'string' ? escapeXml(value) : write(value)}</${name}>`,
    )
    .join('');
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
