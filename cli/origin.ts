import { err, ok, type Result } from '../functions/core/result.ts';
import { type Failure, misused } from './outcome.ts';
import type { Option } from './verb.ts';

const DEFAULT_ORIGIN = 'http://127.0.0.1:8787';
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Which gateway, in every verb that talks to one. */
export const ORIGIN_OPTION: Option = {
  name: 'origin',
  alias: 'url',
  value: 'ORIGIN',
  help: `the gateway (default SALLYPORT_ORIGIN, else ${DEFAULT_ORIGIN})`,
};

/**
 * The gateway's origin without a trailing slash: the option, else `SALLYPORT_ORIGIN`, else the local one.
 * Refused where tokens would travel in the clear: `http` is for loopback alone.
 */
export function readOrigin(
  option: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Result<string, Failure> {
  const url = parseUrl(option ?? (env['SALLYPORT_ORIGIN'] || DEFAULT_ORIGIN));
  return url.ok ? ok(url.value.href.replace(/\/+$/, '')) : url;
}

/** A URL to which a token may be sent. */
export function parseUrl(text: string): Result<URL, Failure> {
  const url = URL.parse(text);
  if (url !== null && url.username + url.password !== '') {
    return err(misused('a URL with a user or a password in it is refused; write it without'));
  }
  if (url === null || !/^https?:$/.test(url.protocol) || url.search + url.hash !== '') {
    return err(misused(`\`${text}\` is not a URL of the form https://HOST`));
  }
  if (url.protocol === 'http:' && !isLoopback(url)) {
    return err(misused(`\`${text}\` would send secrets in the clear; use https`));
  }
  return ok(url);
}

/** Is this URL at the origin of the gateway, whatever its path? */
export function isAtOrigin(url: URL, origin: string): boolean {
  return url.origin === new URL(origin).origin;
}

/** Is this the machine that the command runs on? */
export function isLoopback(url: URL): boolean {
  return LOOPBACK.has(url.hostname);
}
