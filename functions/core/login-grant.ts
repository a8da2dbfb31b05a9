import { stringList, wholeSeconds } from './compact-jws.ts';
import { type JsonObject, stringMember } from './json.ts';
import { isVouchedFor } from './parties.ts';
import type { Policy } from './policy.ts';

/** What the login of a user gave to a client: what a code stands for, and the refresh token after it. */
export type LoginGrant = {
  readonly clientId: string;
  /** The resource that the tokens will be for; undefined where none was named. */
  readonly resource: string | undefined;
  /** The scopes that were consented to and that the groups gave at login. */
  readonly scopes: readonly string[];
  readonly subject: string;
  readonly groups: readonly string[];
  readonly authTimeSeconds: number;
  /** The refresh family, and the line of tokens, that the login begins; to end it ends everything that came of it. */
  readonly family: string;
};

/** A login grant from the members of a record; undefined where one is missing or of another type. */
export function readLoginGrant(record: JsonObject): LoginGrant | undefined {
  const clientId = stringMember(record, 'clientId');
  const subject = stringMember(record, 'subject');
  const family = stringMember(record, 'family');
  const scopes = stringList(record.get('scopes'));
  const groups = stringList(record.get('groups'));
  const authTimeSeconds = wholeSeconds(record.get('authTimeSeconds'));
  if (!clientId || !subject || !family || scopes === undefined || groups === undefined) return undefined;
  if (authTimeSeconds === undefined) return undefined;
  const resource = stringMember(record, 'resource');
  return { clientId, resource, scopes, subject, groups, authTimeSeconds, family };
}

/** Do users still log in at the identity provider that vouched for this one, and is it still this organisation's? */
export function isStillVouchedFor(policy: Policy, subject: string, orgId: string): boolean {
  return isVouchedFor(policy.idpsOf(orgId), subject, orgId);
}
