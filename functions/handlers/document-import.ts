import { JSON_LINES } from '../core/documents/archive.ts';
import { type NumberedEntry, parseArchive, toLines } from '../core/documents/archive-lines.ts';
import { refuse } from '../core/documents/input.ts';
import type { ContextCaller, DocumentStore, ReadOnly, Restored } from '../core/documents/ports.ts';
import type { Clock, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { readBody, readStream } from './body.ts';
import { mediaTypeOf, parseStrictJson, type UploadRefusal } from './document-upload.ts';

/** Lines of one import once they are unpacked: the largest document in base64, and what describes it. */
const MAX_ARCHIVE_BYTES = 6_000_000;

/** How long an import works before it answers with what it has done. */
const IMPORT_SECONDS = 15;

const PLAIN: ReadonlySet<string> = new Set([JSON_LINES, 'application/jsonl']);
const PACKED = 'application/gzip';

/** What became of an archive. `lines` were taken: where that is not all of them, those after it are to be sent again. */
export type ImportReport = {
  readonly lines: number;
  readonly complete: boolean;
  readonly results: readonly (Restored & {
    readonly line: number;
    readonly type: NumberedEntry['type'];
  })[];
};

/** An archive that was sent: how many lines it has, and what those say that are not about the archive itself. */
export type Archive = { readonly lines: number; readonly entries: readonly NumberedEntry[] };

/** The lines of an import request, all of them judged before any is acted on. */
export async function readArchive(request: Request): Promise<Result<Archive, UploadRefusal>> {
  const type = mediaTypeOf(request);
  if (type !== PACKED && !PLAIN.has(type)) {
    return refuse('content-type', `must be \`${JSON_LINES}\` or \`${PACKED}\``);
  }
  const body = await readBody(request);
  if (body === undefined) return err({ reason: 'too_large' });
  const unpacked = type === PACKED ? await unpack(body) : ok(body);
  if (!unpacked.ok) return unpacked;
  if (unpacked.value.length > MAX_ARCHIVE_BYTES) return err({ reason: 'too_large' });
  const lines = toLines(unpacked.value);
  const entries = parseArchive(lines, parseStrictJson);
  return entries.ok ? ok({ lines: lines.length, entries: entries.value }) : entries;
}

/** Makes what the lines say, one after the other. A failure undoes nothing: the same import again goes on where it stopped. */
export async function importArchive(
  documents: DocumentStore,
  caller: ContextCaller,
  { lines, entries }: Archive,
  clock: Clock,
): Promise<Result<ImportReport, ReadOnly | Unavailable>> {
  const endsAtSeconds = clock() + IMPORT_SECONDS;
  const results: ImportReport['results'][number][] = [];
  for (const { line, ...entry } of entries) {
    if (results.length > 0 && clock() >= endsAtSeconds) {
      return ok({ lines: line - 1, complete: false, results });
    }
    const restored = await documents.restore(caller, entry);
    if (!restored.ok) return restored;
    results.push({ line, type: entry.type, ...restored.value });
  }
  return ok({ lines, complete: true, results });
}

async function unpack(body: Uint8Array): Promise<Result<Uint8Array, UploadRefusal>> {
  try {
    const packed = new Blob([new Uint8Array(body)]).stream();
    const bytes = await readStream(packed.pipeThrough(new DecompressionStream('gzip')), MAX_ARCHIVE_BYTES);
    return bytes === undefined ? err({ reason: 'too_large' }) : ok(bytes);
  } catch {
    return refuse('body', 'must be one gzip file');
  }
}
