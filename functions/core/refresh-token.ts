import { createHash } from 'node:crypto';
import { wholeSeconds } from './compact-jws.ts';
import { isJsonObject, parseJsonText, stringMember } from './json.ts';
import { type LoginGrant, readLoginGrant } from './login-grant.ts';

/** What the refresh tokens of one login stand for. Times are seconds since the epoch. */
export type RefreshGrant = LoginGrant & {
  /** When the code was made; every token of the family counts as old as this for revocation. */
  readonly beganAtSeconds: number;
  /** Of the one token of the family that may be used. */
  readonly secretDigest: string;
};

/** Contract §13: from the login, and from the last use. */
export const REFRESH_LIFETIME_SECONDS = 30 * 24 * 3600;
export const REFRESH_IDLE_SECONDS = 7 * 24 * 3600;

/** A refresh token, read. */
export type RefreshToken = {
  readonly orgId: string;
  /** The same in every token of a family and in nothing else: who knows it has held one of them. */
  readonly handle: string;
  /** Where the record of the family is. Only digests of handle and secret are stored. */
  readonly id: string;
  readonly secretDigest: string;
};

const TOKEN = /^([A-Za-z0-9_-]{1,172})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;

/** 256 random bits as the handle of a family, or as the secret of one of its tokens. */
export function toRefreshPart(random: Uint8Array): string {
  return Buffer.from(random).toString('base64url');
}

/** A refresh token is `{org in base64url}.{handle}.{secret}`; the secret changes with every use. */
export function makeRefreshToken(orgId: string, handle: string, secret: string): string {
  return `${Buffer.from(orgId).toString('base64url')}.${handle}.${secret}`;
}

/** Takes a refresh token apart; undefined where it is none of ours by its form. It has one spelling. */
export function readRefreshToken(text: string): RefreshToken | undefined {
  const [, org = '', handle = '', secret = ''] = TOKEN.exec(text) ?? [];
  if (![org, handle, secret].every(isCanonical) || org === '') return undefined;
  const orgId = Buffer.from(org, 'base64url').toString();
  if (Buffer.from(orgId).toString('base64url') !== org) return undefined;
  return { orgId, handle, id: digestOf(handle), secretDigest: digestOf(secret) };
}

/** When the family of a login ends if it is not used again: 7 days after `nowSeconds`, and 30 days after it began at the latest. */
export function familyEndSeconds(grant: RefreshGrant, nowSeconds: number): number {
  return Math.min(nowSeconds + REFRESH_IDLE_SECONDS, grant.beganAtSeconds + REFRESH_LIFETIME_SECONDS);
}

/** The text of a family's record. */
export function writeRefreshGrant(grant: RefreshGrant): string {
  return JSON.stringify(grant);
}

/** A family's record from its text; undefined where it is none, which a record of ours never is. */
export function readRefreshGrant(text: string): RefreshGrant | undefined {
  const parsed = parseJsonText(text);
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const login = readLoginGrant(parsed.value);
  const beganAtSeconds = wholeSeconds(parsed.value.get('beganAtSeconds'));
  const secretDigest = stringMember(parsed.value, 'secretDigest');
  if (login === undefined || beganAtSeconds === undefined || !secretDigest) return undefined;
  return { ...login, beganAtSeconds, secretDigest };
}

function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part;
}

function digestOf(part: string): string {
  return createHash('sha256').update(part).digest('base64url');
}
