import { createHash } from 'node:crypto';
import { wholeSeconds } from './compact-jws.ts';
import { isJsonObject, parseJsonText, stringMember } from './json.ts';
import { type LoginGrant, readLoginGrant } from './login-grant.ts';

/** What a code stands for: who logged in, through which client, and what it consented to. Times are seconds since the epoch. */
export type CodeGrant = LoginGrant & {
  readonly redirectUri: string;
  /** PKCE S256 (RFC 7636 §4.2). */
  readonly codeChallenge: string;
  /** {@link CODE_LIFETIME_SECONDS} after its making. The record outlives it, so that a second use is seen as one. */
  readonly expiresAtSeconds: number;
};

/** The record of a code: what it stands for, and by which redemption it was used up; undefined while it was not. */
export type CodeRecord = { readonly grant: CodeGrant; readonly redeemedBy: string | undefined };

/** Contract §13. */
export const CODE_LIFETIME_SECONDS = 60;

/** The record of a code is kept this long after the code: every access token that was had for it is dead by then. */
export const CODE_KEPT_SECONDS = 960;

/** A code is `{org in base64url}.{random}`: the organisation says where its record is, the rest is 256 bits that nobody can guess. */
export function makeCode(orgId: string, random: Uint8Array): string {
  return `${Buffer.from(orgId).toString('base64url')}.${Buffer.from(random).toString('base64url')}`;
}

/** Where the record of a code is; undefined where it is none of ours by its form. Only a digest of the code is stored. */
export function locateCode(code: string): { readonly orgId: string; readonly id: string } | undefined {
  const [, org = ''] = /^([A-Za-z0-9_-]{1,172})\.[A-Za-z0-9_-]{43}$/.exec(code) ?? [];
  const orgId = Buffer.from(org, 'base64url').toString();
  if (org === '' || Buffer.from(orgId).toString('base64url') !== org) return undefined;
  return { orgId, id: createHash('sha256').update(code).digest('base64url') };
}

/** The text of a code's record. `redeemedBy` names the redemption that used it up, each by another name. */
export function writeCodeRecord(grant: CodeGrant, redeemedBy?: string): string {
  return JSON.stringify({ ...grant, redeemedBy });
}

/** A code's record from its text; undefined where it is none, which a record of ours never is. */
export function readCodeRecord(text: string): CodeRecord | undefined {
  const parsed = parseJsonText(text);
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const login = readLoginGrant(parsed.value);
  const redirectUri = stringMember(parsed.value, 'redirectUri');
  const codeChallenge = stringMember(parsed.value, 'codeChallenge');
  const expiresAtSeconds = wholeSeconds(parsed.value.get('expiresAtSeconds'));
  if (login === undefined || !redirectUri || !codeChallenge || expiresAtSeconds === undefined)
    return undefined;
  const redeemedBy = stringMember(parsed.value, 'redeemedBy');
  return { grant: { ...login, redirectUri, codeChallenge, expiresAtSeconds }, redeemedBy };
}
