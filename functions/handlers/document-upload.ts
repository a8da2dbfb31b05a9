import { MAX_DOCUMENT_BYTES, type NewDescription } from '../core/documents/document.ts';
import { type InvalidArgument, parseDescription, refuse, splitTags } from '../core/documents/input.ts';
import { statedContentType } from '../core/documents/media-type.ts';
import type { TooLarge } from '../core/documents/ports.ts';
import { type JsonOptions, parseJson } from '../core/json.ts';
import { err, ok, type Result } from '../core/result.ts';
import { readBody } from './body.ts';
import { toWholeNumber } from './document-route.ts';

/** What a create request carries. Content of `null` makes a placeholder. */
export type Upload = { readonly description: NewDescription; readonly content: Uint8Array | null };

/** Why a create request is refused. */
export type UploadRefusal = InvalidArgument | TooLarge;

/** Metadata names are the caller's own, so two of them may differ in case alone. */
const DESCRIPTION_JSON: JsonOptions = { maxDepth: 8, caseVariants: 'keep' };

const MUST_BE_JSON = 'must be one JSON object without repeated members';

const FORM_PARTS: ReadonlySet<string> = new Set(['file', 'tags', 'metadata', 'ttl_seconds']);

/** Is the request a form with a file, and not a JSON placeholder? Looks at the media type alone. */
export function isForm(request: Request): boolean {
  return mediaTypeOf(request) === 'multipart/form-data';
}

/**
 * Reads a create request: a form of `file`, `tags` (separated by commas), `metadata` (JSON text) and `ttl_seconds`, or JSON
 * `{filename, content_type?, tags?, metadata?, ttl_seconds?}` for a placeholder. Reads no more than the bound.
 */
export async function parseUpload(request: Request): Promise<Result<Upload, UploadRefusal>> {
  const body = await readBody(request);
  if (body === undefined) return err({ reason: 'too_large' });
  if (isForm(request)) return parseForm(request.headers.get('content-type') ?? '', body);
  if (mediaTypeOf(request) !== 'application/json') {
    return refuse('content-type', 'must be `multipart/form-data` or `application/json`');
  }
  const json = parseStrictJson(body);
  if (json === undefined) return refuse('body', MUST_BE_JSON);
  const description = parseDescription(json);
  return description.ok ? ok({ description: description.value, content: null }) : description;
}

/** Reads the body of a JSON request. Does NOT judge what the JSON says. */
export async function readJsonBody(request: Request): Promise<Result<unknown, UploadRefusal>> {
  const body = await readBody(request);
  if (body === undefined) return err({ reason: 'too_large' });
  if (mediaTypeOf(request) !== 'application/json')
    return refuse('content-type', 'must be `application/json`');
  const json = parseStrictJson(body);
  return json === undefined ? refuse('body', MUST_BE_JSON) : ok(json);
}

/** Reads a body that is the content of a document as it is. */
export async function readContentBody(request: Request): Promise<Result<Uint8Array, TooLarge>> {
  const body = await readBody(request, MAX_DOCUMENT_BYTES);
  return body === undefined ? err({ reason: 'too_large' }) : ok(body);
}

async function parseForm(contentType: string, body: Uint8Array): Promise<Result<Upload, UploadRefusal>> {
  let form: FormData;
  try {
    form = await new Response(body, { headers: { 'content-type': contentType } }).formData();
  } catch {
    return refuse('body', 'must be a well-formed form');
  }
  const names = [...form.keys()];
  const unknown = names.find((name) => !FORM_PARTS.has(name));
  if (unknown !== undefined)
    return refuse('form', 'has a part other than `file`, `tags`, `metadata` and `ttl_seconds`');
  if (new Set(names).size !== names.length) return refuse('form', 'has a part twice');
  const file = form.get('file');
  if (!(file instanceof File)) return refuse('file', 'must be a file with a name');
  if (file.size > MAX_DOCUMENT_BYTES) return err({ reason: 'too_large' });
  const { tags = '', metadata = '{}', ttl_seconds: ttl } = Object.fromEntries(form);
  if (typeof tags !== 'string') return refuse('tags', 'must be text');
  if (typeof metadata !== 'string') return refuse('metadata', 'must be JSON text');
  const described = parseDescription({
    filename: file.name,
    content_type: statedContentType(file.type, file.name),
    tags: splitTags(tags),
    metadata: parseStrictJson(Buffer.from(metadata)) ?? null,
    ...(ttl === undefined ? {} : { ttl_seconds: typeof ttl === 'string' ? toWholeNumber(ttl) : null }),
  });
  if (!described.ok) return described;
  return ok({ description: described.value, content: await file.bytes() });
}

/** JSON that every parser reads alike; undefined where it is not. */
export function parseStrictJson(bytes: Uint8Array): unknown {
  // What the strict parser admits has one meaning, so the built-in one may build the plain value.
  return parseJson(bytes, DESCRIPTION_JSON).ok ? JSON.parse(Buffer.from(bytes).toString('utf8')) : undefined;
}

/** The media type of a request's body without parameters, in lower case; empty where it has none. */
export function mediaTypeOf(request: Request): string {
  const [essence = ''] = (request.headers.get('content-type') ?? '').split(';');
  return essence.trim().toLowerCase();
}
