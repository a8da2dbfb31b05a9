import type { Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { postSigned } from './signed-post.ts';

/** Credentials of a session, in the SDK's words. */
export type SessionCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
};

/** What a session is to be: for how long it lasts AWS says, one hour at most where a role takes on another. */
export type RoleSession = {
  readonly roleArn: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
};

/** Takes on a role. */
export type AssumeRole = (session: RoleSession) => Promise<Result<SessionCredentials, Unavailable>>;

const DURATION_SECONDS = 3600;
const ATTEMPT_TIMEOUT_MS = 2_000;
const ATTEMPTS = 3;
const RETRY_DELAY_MS = 50;

/**
 * STS AssumeRole over `fetch` with SigV4, without an SDK client, by the regional endpoint. Credentials, region and endpoint are read from
 * the environment at each call, as Lambda rotates them there. Three attempts of at most 2 s; a refusal is not repeated.
 */
export function createAssumeRole(environment: NodeJS.ProcessEnv = process.env): AssumeRole {
  return async (session) => {
    let detail = '';
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      if (attempt > 1) await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS * attempt));
      const answer = await ask(environment, session);
      if (answer.ok) return answer;
      detail = `sts AssumeRole: ${answer.error.detail}`;
      if (!answer.error.retryable) break;
    }
    return err({ reason: 'unavailable', detail });
  };
}

type Failure = { readonly detail: string; readonly retryable: boolean };

async function ask(
  environment: NodeJS.ProcessEnv,
  { roleArn, name, tags }: RoleSession,
): Promise<Result<SessionCredentials, Failure>> {
  const form = new URLSearchParams({
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: roleArn,
    RoleSessionName: name,
    DurationSeconds: String(DURATION_SECONDS),
  });
  for (const [index, [key, value]] of Object.entries(tags).entries()) {
    form.set(`Tags.member.${index + 1}.Key`, key);
    form.set(`Tags.member.${index + 1}.Value`, value);
  }
  const body = form.toString();
  try {
    const response = await postSigned(environment, {
      service: 'sts',
      endpoint: environment['AWS_ENDPOINT_URL_STS'],
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body,
      timeoutMs: ATTEMPT_TIMEOUT_MS,
    });
    const text = await response.text();
    if (!response.ok) {
      const code = elementOf(text, 'Code') ?? 'no error code';
      return err({
        detail: `${response.status} ${code}`,
        retryable: response.status >= 500 || code === 'Throttling',
      });
    }
    const credentials = parseCredentials(text);
    return credentials === undefined
      ? err({ detail: 'an answer without credentials', retryable: false })
      : ok(credentials);
  } catch (error) {
    const detail = error instanceof Error ? error.name : 'unknown failure';
    return err({ detail, retryable: detail !== 'TimeoutError' });
  }
}

function parseCredentials(xml: string): SessionCredentials | undefined {
  const accessKeyId = elementOf(xml, 'AccessKeyId');
  const secretAccessKey = elementOf(xml, 'SecretAccessKey');
  const sessionToken = elementOf(xml, 'SessionToken');
  const expiration = new Date(elementOf(xml, 'Expiration') ?? '');
  const isWhole =
    accessKeyId !== undefined &&
    secretAccessKey !== undefined &&
    sessionToken !== undefined &&
    !Number.isNaN(expiration.getTime());
  return isWhole ? { accessKeyId, secretAccessKey, sessionToken, expiration } : undefined;
}

/** The text of an element that has no elements and no attributes. Keys and tokens have no characters that XML escapes. */
function elementOf(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<>&]+)</${name}>`).exec(xml)?.[1];
}
