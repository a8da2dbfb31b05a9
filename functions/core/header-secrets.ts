import { Secret } from './secret.ts';

/** A scheme, and what follows it (RFC 9110 §11.4). */
const WITH_SCHEME = /^([A-Za-z][A-Za-z0-9-]*) +(.+)$/;

/**
 * What in the value of a header that carries a credential must not come back by itself: what follows the scheme, the pair and the password of
 * HTTP Basic, and the values of parameters and cookies. Does NOT give the value as a whole.
 */
export function secretsInHeader(name: string, value: string): readonly Secret[] {
  if (name === 'cookie') return parameterValues(value).map((text) => new Secret(text));
  const [, , rest] = WITH_SCHEME.exec(value) ?? [];
  if (rest === undefined) return [];
  const pair = basicPair(value);
  const parts =
    pair === undefined ? parameterValues(rest) : [`${pair.username}:${pair.password}`, pair.password];
  return [rest, ...parts].map((text) => new Secret(text));
}

/** The pair in a value of HTTP Basic (RFC 7617); undefined: it is none. What has no colon is a password without a name. */
export function basicPair(
  value: string,
): { readonly username: string; readonly password: string } | undefined {
  const [, scheme = '', rest = ''] = WITH_SCHEME.exec(value) ?? [];
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const pair = Buffer.from(rest, 'base64').toString();
  const colon = pair.indexOf(':');
  return { username: pair.slice(0, Math.max(colon, 0)), password: pair.slice(colon + 1) };
}

/** After the `=` of each, without quotes; the padding of Base64 is no value. */
function parameterValues(text: string): readonly string[] {
  return text
    .split(/[;,]/)
    .filter((part) => part.includes('='))
    .map((part) => part.slice(part.indexOf('=') + 1).trim())
    .map((value) => (/^".*"$/.test(value) ? value.slice(1, -1) : value))
    .filter((value) => /[^=]/.test(value));
}
