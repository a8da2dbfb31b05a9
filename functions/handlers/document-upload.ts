import { type DocumentDescription, MAX_DOCUMENT_BYTES } from '../core/documents/document.ts';
import { type InvalidArgument, parseDescription, refuse, splitTags } from '../core/documents/input.ts';
import { statedContentType } from '../core/documents/media-type.ts';
import { type JsonOptions, parseJson } from '../core/json.ts';
import { err, ok, type Result } from '../core/result.ts';
import { readBody } from './body.ts';

/** What a create request carries. Content of `null` makes a placeholder. */
export type Upload = { readonly description: DocumentDescription; readonly content: Uint8Array | null };

/** Why a create request is refused. */
export type UploadRefusal = InvalidArgument | { readonly reason: 'too_large' };

/** Metadata names are the caller's own, so two of them may differ in case alone. */
const DESCRIPTION_JSON: JsonOptions = { maxDepth: 8, caseVariants: 'keep' };

const FORM_PARTS: ReadonlySet<string> = new Set(['file', 'tags', 'metadata']);

/** Is the request a form with a file, and not a JSON placeholder? Looks at the media type alone. */
export function isForm(request: Request): boolean {
  return mediaTypeOf(request) === 'multipart/form-data';
}

/**
 * Reads a create request: a form of `file`, `tags` (separated by commas) and `metadata` (JSON text), or JSON
 * `{filename, content_type?, tags?, metadata?}` for a placeholder. Reads no more than the bound.
 */
export async function parseUpload(request: Request): Promise<Result<Upload, UploadRefusal>> {
  const body = await readBody(request);
  if (body === undefined) return err({ reason: 'too_large' });
  if (isForm(request)) return parseForm(request.headers.get('content-type') ?? '', body);
  if (mediaTypeOf(request) !== 'application/json') {
    return refuse('content-type', 'must be `multipart/form-data` or `application/json`');
  }
  const json = parseStrictJson(body);
  if (json === undefined) return refuse('body', 'must be one JSON object without repeated members');
  const description = parseDescription(json);
  return description.ok ? ok({ description: description.value, content: null }) : description;
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
  if (unknown !== undefined) return refuse('form', 'has a part other than `file`, `tags` and `metadata`');
  if (new Set(names).size !== names.length) return refuse('form', 'has a part twice');
  const file = form.get('file');
  if (!(file instanceof File)) return refuse('file', 'must be a file with a name');
  if (file.size > MAX_DOCUMENT_BYTES) return err({ reason: 'too_large' });
  const { tags = '', metadata = '{}' } = Object.fromEntries(form);
  if (typeof tags !== 'string') return refuse('tags', 'must be text');
  if (typeof metadata !== 'string') return refuse('metadata', 'must be JSON text');
  const described = parseDescription({
    filename: file.name,
    content_type: statedContentType(file.type, file.name),
    tags: splitTags(tags),
    metadata: parseStrictJson(Buffer.from(metadata)) ?? null,
  });
  if (!described.ok) return described;
  return ok({ description: described.value, content: await file.bytes() });
}

/** JSON that every parser reads alike; undefined where it is not. */
function parseStrictJson(bytes: Uint8Array): unknown {
  // What the strict parser admits has one meaning, so the built-in one may build the plain value.
  return parseJson(bytes, DESCRIPTION_JSON).ok ? JSON.parse(Buffer.from(bytes).toString('utf8')) : undefined;
}

function mediaTypeOf(request: Request): string {
  const [essence = ''] = (request.headers.get('content-type') ?? '').split(';');
  return essence.trim().toLowerCase();
}
