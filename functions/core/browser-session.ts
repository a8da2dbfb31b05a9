import { stringList, wholeSeconds } from './compact-jws.ts';
import { isJsonObject, parseJsonText, stringMember } from './json.ts';

/** A browser in which a user is logged in (contract §13: 8 h). Times are seconds since the epoch. */
export type BrowserSession = {
  readonly orgId: string;
  /** The identity provider that vouched for the user. */
  readonly idp: string;
  readonly subject: string;
  /** For people to read. */
  readonly displayName: string;
  readonly groups: readonly string[];
  readonly authTimeSeconds: number;
  readonly createdAtSeconds: number;
};

/** Contract §13. */
export const SESSION_SECONDS = 8 * 3600;

/** The text of a session's record; the organisation is in its key. */
export function writeSession({ orgId, ...session }: BrowserSession): string {
  return JSON.stringify(session);
}

/** A session from its record; undefined where it is none: nobody is logged in by it. */
export function readSession(orgId: string, text: string): BrowserSession | undefined {
  const parsed = parseJsonText(text);
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const record = parsed.value;
  const idp = stringMember(record, 'idp');
  const subject = stringMember(record, 'subject');
  const displayName = stringMember(record, 'displayName');
  const groups = stringList(record.get('groups'));
  const authTimeSeconds = wholeSeconds(record.get('authTimeSeconds'));
  const createdAtSeconds = wholeSeconds(record.get('createdAtSeconds'));
  if (!idp || !subject || displayName === undefined || groups === undefined) return undefined;
  if (authTimeSeconds === undefined || createdAtSeconds === undefined) return undefined;
  return { orgId, idp, subject, displayName, groups, authTimeSeconds, createdAtSeconds };
}
