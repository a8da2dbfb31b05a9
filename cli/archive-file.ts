import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import { err, ok, type Result } from '../functions/core/result.ts';
import { parseJson } from './http.ts';
import { type Failure, failed, misused, reasonOf } from './outcome.ts';

/** The last line of a page. `next`: the document after which there is more. */
export const End = z.object({
  type: z.literal('end'),
  documents: z.number(),
  relations: z.number(),
  next: z.string().nullable(),
});
export type End = z.infer<typeof End>;

/** The permissions of a file with what a token sees: nobody else on the machine reads it. */
const OWNER_ONLY = 0o600;

/** How the last line of a page begins. */
const END_BEGINS = Buffer.from('{"type":"end"');

/** The first line of an archive of any version. */
const Header = z.object({ type: z.literal('archive'), format: z.literal('sallyport-context') });

/** Lines that are sent at once; a longer one goes alone. Packed, and in base64, they fit into one request. */
const BATCH_BYTES = 4_000_000;
const BATCH_LINES = 500;

/** Opens an archive, or makes one that is its owner's alone. */
export async function openArchive(file: string, flags: string): Promise<Result<FileHandle, Failure>> {
  try {
    return ok(await open(file, flags, OWNER_ONLY));
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    return err(
      isThere ? misused(`${file} is there already`) : failed(`cannot open ${file}: ${reasonOf(error)}`),
    );
  }
}

/** How far the whole pages of a file go: what is in them, the byte after the last one, and the document after which there is more. */
export type Progress = {
  readonly documents: number;
  readonly relations: number;
  readonly offset: number;
  /** Undefined before the first page, null after the last. */
  readonly next: string | null | undefined;
};

/** The progress of an export in a file, which may be empty; undefined where the file is something else. */
export async function findEnd(handle: FileHandle): Promise<Progress | undefined> {
  let found: Progress = { documents: 0, relations: 0, offset: 0, next: undefined };
  let offset = 0;
  for await (const { bytes, isWhole } of linesOf(handle)) {
    if (offset === 0 && !Header.safeParse(parseJson(bytes.toString())).success) return undefined;
    offset += bytes.length + 1;
    const isEnd = isWhole && bytes.subarray(0, END_BEGINS.length).equals(END_BEGINS);
    const end = isEnd ? End.safeParse(parseJson(bytes.toString())) : undefined;
    if (end?.success !== true) continue;
    const { documents, relations, next } = end.data;
    found = {
      documents: found.documents + documents,
      relations: found.relations + relations,
      offset,
      next,
    };
  }
  return found;
}

/** A line without its end, which the last one may lack: then it may be part of one. */
type Line = { readonly bytes: Buffer; readonly isWhole: boolean };

/** The lines of a file. A line feed ends one and nothing else does: text in them may have any other separator as it is. */
async function* linesOf(handle: FileHandle): AsyncGenerator<Line> {
  let begun: Buffer[] = [];
  const stream: AsyncIterable<Buffer> = handle.createReadStream({ start: 0, autoClose: false });
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      yield { bytes: Buffer.concat([...begun, chunk.subarray(start, end)]), isWhole: true };
      begun = [];
      start = end + 1;
    }
    if (start < chunk.length) begun.push(chunk.subarray(start));
  }
  if (begun.length > 0) yield { bytes: Buffer.concat(begun), isWhole: false };
}

/** The lines of an archive in groups, each begun by the archive's first line. `first` is the number of the line after it. */
export async function* batchesOf(
  handle: FileHandle,
): AsyncGenerator<{ readonly lines: readonly Buffer[]; readonly first: number }> {
  let header: Buffer | undefined;
  let lines: Buffer[] = [];
  let size = 0;
  let number = 0;
  for await (const { bytes } of linesOf(handle)) {
    number += 1;
    if (header === undefined) {
      header = bytes;
      continue;
    }
    if (lines.length > 0 && (lines.length >= BATCH_LINES || size + bytes.length > BATCH_BYTES)) {
      yield { lines: [header, ...lines], first: number - lines.length };
      lines = [];
      size = 0;
    }
    lines.push(bytes);
    size += bytes.length;
  }
  yield { lines: [header ?? Buffer.alloc(0), ...lines], first: number - lines.length + 1 };
}
