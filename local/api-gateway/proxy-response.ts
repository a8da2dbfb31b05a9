import type { Json } from '../json.ts';
import { isArray, isObject, parseObject, toArray } from '../json.ts';

/** Status and headers of a function's answer. */
export type ResponseHead = {
  readonly status: number;
  readonly headers: ReadonlyMap<string, readonly string[]>;
};

/** A function's whole answer. */
export type ProxyResponse = ResponseHead & { readonly body: Buffer };

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Marks the end of a streamed answer's prelude. */
const SEPARATOR = Buffer.alloc(8);

/** Reads the answer of a buffered integration; `undefined` where it is malformed, which API Gateway answers with 502. */
export function parseProxyResponse(payload: string, isBinaryAllowed: boolean): ProxyResponse | undefined {
  const answer = parseObject(payload);
  const head = answer && parseHead(answer, []);
  const body = answer?.['body'] ?? '';
  if (head === undefined || typeof body !== 'string') return undefined;
  const isBase64 = answer?.['isBase64Encoded'] === true && isBinaryAllowed;
  return { ...head, body: Buffer.from(body, isBase64 ? 'base64' : 'utf8') };
}

/**
 * Splits a streamed answer: the prelude is JSON up to eight NUL bytes. `incomplete`: more bytes are needed; `malformed`: it
 * can become no prelude any more.
 */
export function parsePrelude(
  bytes: Buffer,
): { readonly head: ResponseHead; readonly rest: Buffer } | 'incomplete' | 'malformed' {
  const end = bytes.indexOf(SEPARATOR);
  if (end < 0) return 'incomplete';
  const prelude = parseObject(bytes.subarray(0, end).toString());
  const head = prelude && parseHead(prelude, toArray(prelude['cookies']).map(String));
  return head === undefined ? 'malformed' : { head, rest: bytes.subarray(end + SEPARATOR.length) };
}

function parseHead(
  answer: { readonly [name: string]: Json | undefined },
  cookies: string[],
): ResponseHead | undefined {
  const status = Number(answer['statusCode'] ?? 200);
  if (!Number.isInteger(status) || status < 200 || status > 599) return undefined;
  const headers = new Map<string, readonly string[]>();
  const names = new Map<string, string>();
  // Where a header is in both, the one with several values is taken.
  for (const group of [answer['headers'], answer['multiValueHeaders']]) {
    if (group === undefined || group === null) continue;
    if (!isObject(group)) return undefined;
    for (const [given, value] of Object.entries(group)) {
      const values = isArray(value) ? value : [value ?? null];
      if (!HEADER_NAME.test(given) || !values.every(isHeaderValue)) return undefined;
      const name = names.get(given.toLowerCase()) ?? given;
      names.set(given.toLowerCase(), name);
      headers.set(name, values.filter((one) => one !== null).map(toBytes));
    }
  }
  if (!cookies.every(isHeaderValue)) return undefined;
  if (cookies.length > 0) {
    headers.set('set-cookie', [...(headers.get('set-cookie') ?? []), ...cookies.map(toBytes)]);
  }
  return { status, headers };
}

/** A header value as Node writes it: UTF-8, one character per byte. */
function toBytes(value: Json): string {
  return Buffer.from(String(value)).toString('latin1');
}

/** Text without control characters, a number, a boolean, or nothing. */
function isHeaderValue(value: Json): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  return value === null || (typeof value !== 'object' && !/[\x00-\x08\x0a-\x1f\x7f]/.test(String(value)));
}
