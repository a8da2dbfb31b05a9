import type { YamlReader } from './yaml-reader.ts';

/** Parameters of the authorization request that we set ourselves (RFC 6749 §4.1.1, RFC 7636). */
const OWN_PARAMETERS: ReadonlySet<string> = new Set([
  'client_id',
  'client_secret',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'state',
  'code_challenge',
  'request',
  'request_uri',
]);
/** RFC 6749 §3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const FIELD_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
const FIELD_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
/** What authenticates or frames a message is not an entry's to say. */
const OWN_HEADER =
  /^(?:authorization|proxy-.*|cookie|host|content-.*|transfer-encoding|connection|te|trailer|upgrade|keep-alive|expect|accept-encoding)$/;

/** `scopes`, each once. */
export function readScopes(scopes: YamlReader | undefined): readonly string[] {
  const read = (scopes?.items() ?? []).flatMap((item) => {
    const scope = item.string();
    if (scope === undefined) return [];
    // A comma separates them at some providers.
    return SCOPE.test(scope) && !scope.includes(',') ? [scope] : (item.problem('this is no scope') ?? []);
  });
  return [...new Set(read)];
}

/** `additional_params`. The method of PKCE is always S256 and need not stand there. */
export function readAuthParams(params: YamlReader | undefined): readonly (readonly [string, string])[] {
  return (params?.entries() ?? []).flatMap(([name, value]) => {
    const text = value.string();
    if (text === undefined) return [];
    if (name === 'code_challenge_method') {
      if (text !== 'S256') value.problem('only S256 is asked for');
      return [];
    }
    if (!OWN_PARAMETERS.has(name)) return [[name, text] as const];
    return value.problem('this parameter is set by the gateway') ?? [];
  });
}

/** `token_headers`, names in lower case. */
export function readTokenHeaders(headers: YamlReader | undefined): readonly (readonly [string, string])[] {
  return (headers?.entries() ?? []).flatMap(([name, value]) => {
    const text = value.string();
    const field = name.toLowerCase();
    if (text === undefined) return [];
    const isFree = FIELD_NAME.test(field) && !OWN_HEADER.test(field) && FIELD_VALUE.test(text);
    return isFree ? [[field, text] as const] : (value.problem('no header that can be set here') ?? []);
  });
}
