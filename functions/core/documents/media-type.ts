/** RFC 9110 §8.3.1: `type/subtype` of tokens (§5.6.2) and parameters; a quoted value has no quote or backslash here. */
const CONTENT_TYPE =
  /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[ \t]*;[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"[ !#-[\]-~]*"))*$/;

const MAX_CONTENT_TYPE_LENGTH = 255;

const UNKNOWN_CONTENT = 'application/octet-stream';

/** What a name's extension says about the content, for names that agents use. */
const BY_EXTENSION: ReadonlyMap<string, string> = new Map([
  ['css', 'text/css'],
  ['csv', 'text/csv'],
  ['gif', 'image/gif'],
  ['gz', 'application/gzip'],
  ['htm', 'text/html'],
  ['html', 'text/html'],
  ['jpeg', 'image/jpeg'],
  ['jpg', 'image/jpeg'],
  ['js', 'text/javascript'],
  ['json', 'application/json'],
  ['md', 'text/markdown'],
  ['mjs', 'text/javascript'],
  ['pdf', 'application/pdf'],
  ['png', 'image/png'],
  ['py', 'text/x-python'],
  ['sh', 'text/x-shellscript'],
  ['svg', 'image/svg+xml'],
  ['toml', 'application/toml'],
  ['ts', 'text/x-typescript'],
  ['txt', 'text/plain'],
  ['xml', 'application/xml'],
  ['yaml', 'application/yaml'],
  ['yml', 'application/yaml'],
  ['zip', 'application/zip'],
]);

/** Is this a media type that may stand in a `Content-Type` header as it is? */
export function isContentType(value: string): boolean {
  return value.length <= MAX_CONTENT_TYPE_LENGTH && CONTENT_TYPE.test(value);
}

/** The media type that a filename suggests; `application/octet-stream` where it suggests none. */
export function contentTypeOf(filename: string): string {
  const extension = /\.([^.]+)$/.exec(filename)?.[1];
  return BY_EXTENSION.get(extension?.toLowerCase() ?? '') ?? UNKNOWN_CONTENT;
}

/** The media type that an uploader states, or the name's where it states none that says anything. */
export function statedContentType(stated: string, filename: string): string {
  return stated === '' || stated === UNKNOWN_CONTENT || !isContentType(stated)
    ? contentTypeOf(filename)
    : stated;
}
