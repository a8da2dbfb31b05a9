import { type AwsAnswer, type AwsCall, AwsError } from './endpoint/aws-call.ts';
import { type AwsService, startAwsEndpoint } from './endpoint/aws-endpoint.ts';
import type { Faults } from './endpoint/faults.ts';
import type { LoopbackServer } from './endpoint/loopback-server.ts';
import { isAllowed } from './iam/policy.ts';
import type { Principals } from './iam/principals.ts';
import { type JsonObject, toText } from './json.ts';
import { ACCOUNT_ID } from './physical-name.ts';

/** Default, and most where a role's own session takes on another one (role chaining). */
const SESSION_SECONDS = 3600;

/** Parameters of AssumeRole that are understood; any other one could narrow the session, so it is refused. */
const ASSUME_ROLE_PARAMETER =
  /^(?:Action|Version|RoleArn|RoleSessionName|DurationSeconds|Tags\.member\.\d+\.(?:Key|Value))$/;

/** Serves STS on loopback: GetCallerIdentity, and AssumeRole as the policies of the template allow it. */
export function startSts(principals: Principals, faults: Faults): Promise<LoopbackServer> {
  const service: AwsService = {
    name: 'sts',
    parse: (_target, body) => {
      const form = new URLSearchParams(body.toString());
      const operation = form.get('Action');
      return operation === null ? undefined : { operation, input: Object.fromEntries(form) };
    },
    answer: (call) => answer(principals, call, Date.now()),
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

function answer(principals: Principals, call: AwsCall, nowMs: number): AwsAnswer {
  const { operation, accessKeyId } = call;
  switch (operation) {
    case 'GetCallerIdentity': {
      const principal = principals.identify(call, nowMs);
      const [role, session] =
        principal.kind === 'role' ? [nameOf(principal.role.arn), principal.session] : ['local', 'local'];
      const arn = `arn:aws:sts::${ACCOUNT_ID}:assumed-role/${role}/${session}`;
      return xml(operation, { Account: ACCOUNT_ID, Arn: arn, UserId: `${accessKeyId}:${session}` });
    }
    case 'AssumeRole':
      return xml(operation, assumeRole(principals, call, nowMs));
    default:
      throw new AwsError('InvalidAction', `Could not find operation ${operation}`);
  }
}

/** Begins a session, where the caller's policies and the role's trust policy both allow it with these tags. */
function assumeRole(principals: Principals, call: AwsCall, nowMs: number): Elements {
  const { input } = call;
  const unknown = Object.keys(input).find((name) => !ASSUME_ROLE_PARAMETER.test(name));
  if (unknown !== undefined)
    throw new AwsError('ValidationError', `the parameter ${unknown} is not understood`);
  const roleArn = toText(input['RoleArn']);
  const session = toText(input['RoleSessionName']);
  const seconds = Number(input['DurationSeconds'] ?? SESSION_SECONDS);
  if (roleArn === undefined || session === undefined || !/^[\w+=,.@-]{2,64}$/.test(session)) {
    throw new AwsError('ValidationError', 'RoleArn and RoleSessionName');
  }
  if (!(seconds >= 900 && seconds <= SESSION_SECONDS)) {
    throw new AwsError('ValidationError', 'The requested DurationSeconds exceeds the 1 hour session limit');
  }
  const tags = tagsOf(input);
  const caller = principals.identify(call, nowMs);
  const role = principals.roles.find(roleArn);
  const keys = new Map([
    ...(caller.kind === 'role' ? caller.keys : []),
    ...Array.from(tags, ([name, value]) => [`aws:requesttag/${name.toLowerCase()}`, [value]] as const),
    ...(tags.size === 0 ? [] : [['aws:tagkeys', [...tags.keys()]] as const]),
  ]);
  const actions = tags.size === 0 ? ['sts:AssumeRole'] : ['sts:AssumeRole', 'sts:TagSession'];
  const isAdmitted =
    role !== undefined &&
    caller.kind === 'role' &&
    actions.every((action) => {
      const request = { action, principal: caller.role.arn, keys };
      return (
        isAllowed(caller.role.policies, { ...request, resource: roleArn }) &&
        isAllowed([role.trust], { ...request, resource: undefined })
      );
    });
  if (!isAdmitted) {
    throw new AwsError(
      'AccessDenied',
      `not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
      403,
    );
  }
  const credentials = principals.begin(role, { name: session, tags, seconds }, nowMs);
  return {
    AssumedRoleUser: {
      AssumedRoleId: `${credentials.accessKeyId}:${session}`,
      Arn: `arn:aws:sts::${ACCOUNT_ID}:assumed-role/${nameOf(roleArn)}/${session}`,
    },
    Credentials: {
      AccessKeyId: credentials.accessKeyId,
      SecretAccessKey: credentials.secretAccessKey,
      SessionToken: credentials.sessionToken,
      Expiration: new Date(credentials.expiresAtMs).toISOString(),
    },
  };
}

/** The session tags of a call. @throws AwsError where they are malformed or one comes twice */
function tagsOf(input: JsonObject): ReadonlyMap<string, string> {
  const tags = new Map<string, string>();
  for (let member = 1; input[`Tags.member.${member}.Key`] !== undefined; member += 1) {
    const key = toText(input[`Tags.member.${member}.Key`]);
    const value = toText(input[`Tags.member.${member}.Value`]);
    const isTag =
      key !== undefined &&
      value !== undefined &&
      /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u.test(key) &&
      /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u.test(value);
    if (!isTag || tags.has(key)) throw new AwsError('ValidationError', 'Tags');
    tags.set(key, value);
  }
  return tags;
}

function nameOf(roleArn: string): string {
  return roleArn.split('/').at(-1) ?? '';
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
