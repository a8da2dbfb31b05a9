import { isJsonArray, isJsonObject, type Json, JsonNumber, type JsonObject, parseJson } from './json.ts';
import { err, ok, type Result } from './result.ts';

const COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const WHOLE_SECONDS = /^(?:0|[1-9][0-9]{0,11})$/;

/** The parts of a compact JWS (RFC 7515 §7.1), none of them verified. `header` and `payload` are still encoded. */
export type CompactJws = {
  readonly header: string;
  readonly payload: string;
  /** What the signature is over. */
  readonly signingInput: Uint8Array;
  readonly signature: Uint8Array;
};

/** What is signed of a compact JWS of ours: header exactly `{alg: RS256, typ, kid}` (contract §4). */
export function signingInputOf(
  type: string,
  keyId: string,
  payload: Readonly<Record<string, unknown>>,
): string {
  const header = { alg: 'RS256', typ: type, kid: keyId };
  return [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
}

/** Takes a compact JWS apart: size and alphabet first, then canonical base64url, so that its parts have one spelling each. */
export function splitCompactJws(
  compact: string,
  maxBytes: number,
): Result<CompactJws, 'not_a_compact_jws' | 'not_canonical'> {
  if (compact.length > maxBytes || !COMPACT_JWS.test(compact)) return err('not_a_compact_jws');
  const [header = '', payload = '', signature = ''] = compact.split('.');
  if (![header, payload, signature].every(isCanonicalBase64url)) return err('not_canonical');
  return ok({
    header,
    payload,
    signingInput: Buffer.from(`${header}.${payload}`),
    signature: Buffer.from(signature, 'base64url'),
  });
}

/** The object that an encoded header or payload holds; undefined where it is no strict JSON object (see `core/json`). */
export function parseJwsObject(segment: string): JsonObject | undefined {
  const parsed = parseJson(Buffer.from(segment, 'base64url'));
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined;
}

/** A NumericDate (RFC 7519 §2) of whole seconds; undefined for anything else. */
export function wholeSeconds(value: Json | undefined): number | undefined {
  return value instanceof JsonNumber && WHOLE_SECONDS.test(value.lexeme) ? value.toNumber() : undefined;
}

/** An array of strings and nothing else; undefined for anything else. */
export function stringList(value: Json | undefined): readonly string[] | undefined {
  if (!isJsonArray(value)) return undefined;
  const items = value.filter((item) => typeof item === 'string');
  return items.length === value.length ? items : undefined;
}

function isCanonicalBase64url(segment: string): boolean {
  return Buffer.from(segment, 'base64url').toString('base64url') === segment;
}
