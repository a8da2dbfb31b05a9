import { randomBytes } from 'node:crypto';
import { type AwsCall, AwsError } from '../endpoint/aws-call.ts';
import { fromAccessKeyId } from '../lambda/credentials.ts';
import type { ContextKeys } from './condition.ts';
import type { Role, Roles } from './roles.ts';

/** Who calls: a role, with the tags of its session; or whoever develops, with credentials of their own, who may do everything. */
export type Principal =
  | { readonly kind: 'role'; readonly role: Role; readonly keys: ContextKeys; readonly session: string }
  | { readonly kind: 'administrator' };

/** Credentials of a session, as AssumeRole gives them. */
export type SessionCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresAtMs: number;
};

type Session = SessionCredentials & {
  readonly role: Role;
  readonly name: string;
  readonly tags: ReadonlyMap<string, string>;
};

const SESSION_PREFIX = 'ASIA';

/** The principals of the local cloud: its functions by their own credentials, and the sessions that STS gave out, until they expire. */
export class Principals {
  readonly roles: Roles;
  readonly #sessions = new Map<string, Session>();

  constructor(roles: Roles) {
    this.roles = roles;
  }

  /** Begins a session of a role. Does NOT ask whether the caller may. */
  begin(
    role: Role,
    session: { readonly name: string; readonly tags: ReadonlyMap<string, string>; readonly seconds: number },
    nowMs: number,
  ): SessionCredentials {
    for (const [id, { expiresAtMs }] of this.#sessions) if (expiresAtMs <= nowMs) this.#sessions.delete(id);
    const credentials: SessionCredentials = {
      accessKeyId: `${SESSION_PREFIX}${randomBytes(8).toString('hex').toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(48).toString('base64'),
      expiresAtMs: nowMs + session.seconds * 1000,
    };
    this.#sessions.set(credentials.accessKeyId, {
      ...credentials,
      role,
      name: session.name,
      tags: session.tags,
    });
    return credentials;
  }

  /**
   * Whose credentials a call was signed with.
   * @throws AwsError where they are of a session that is not (any more), or of a function without a role
   */
  identify({ accessKeyId, headers }: Pick<AwsCall, 'accessKeyId' | 'headers'>, nowMs: number): Principal {
    const logicalId = fromAccessKeyId(accessKeyId);
    if (logicalId !== undefined) {
      const role = this.roles.ofFunction(logicalId);
      if (role === undefined) throw new AwsError('UnrecognizedClientException', 'the function has no role');
      return { kind: 'role', role, keys: new Map(), session: logicalId };
    }
    if (!accessKeyId.startsWith(SESSION_PREFIX)) return { kind: 'administrator' };
    const session = this.#sessions.get(accessKeyId);
    if (session === undefined || headers['x-amz-security-token'] !== session.sessionToken) {
      throw new AwsError(
        'UnrecognizedClientException',
        'The security token included in the request is invalid.',
      );
    }
    if (session.expiresAtMs <= nowMs) {
      throw new AwsError('ExpiredTokenException', 'The security token included in the request is expired');
    }
    const keys = new Map(
      Array.from(
        session.tags,
        ([name, value]) => [`aws:principaltag/${name.toLowerCase()}`, [value]] as const,
      ),
    );
    return { kind: 'role', role: session.role, keys, session: session.name };
  }
}
