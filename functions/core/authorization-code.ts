import { createHash } from 'node:crypto';

/** What a code stands for: who logged in, through which client, and what it consented to. Times are seconds since the epoch. */
export type CodeGrant = {
  readonly clientId: string;
  readonly redirectUri: string;
  /** PKCE S256 (RFC 7636 §4.2). */
  readonly codeChallenge: string;
  /** The resource that the token will be for; undefined where none was named. */
  readonly resource: string | undefined;
  /** The scopes that were consented to and that the groups gave at login. */
  readonly scopes: readonly string[];
  readonly subject: string;
  readonly groups: readonly string[];
  readonly authTimeSeconds: number;
  /** The refresh family, and the line of tokens, that this code begins; a second use of the code ends it. */
  readonly family: string;
  /** 60 s after its making (contract §13). The record outlives it, so that a second use is seen as one. */
  readonly expiresAtSeconds: number;
};

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
