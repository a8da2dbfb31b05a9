import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { z } from 'zod';
import { err, ok, type Result } from '../functions/core/result.ts';
import type { ContextAction } from './context-actions.ts';
import { type ContextDoor, readText } from './context-door.ts';
import { parseJson } from './http.ts';
import { type Failure, failed, misused, reasonOf } from './outcome.ts';

/** The last line of a page. `next`: the document after which there is more. */
const End = z.object({
  type: z.literal('end'),
  documents: z.number(),
  relations: z.number(),
  next: z.string().nullable(),
});
type End = z.infer<typeof End>;

const Report = z.object({
  lines: z.number().int().min(1),
  complete: z.boolean(),
  results: z.array(z.object({ type: z.string(), id: z.string(), outcome: z.string() })),
});

/** Lines that are sent at once; a longer one goes alone. Packed, and in base64, they fit into one request. */
const BATCH_BYTES = 4_000_000;
const BATCH_LINES = 500;

/** The permissions of a file with what a token sees: nobody else on the machine reads it. */
const OWNER_ONLY = 0o600;

const LINE_FEED = Buffer.from('\n');

/** How the last line of a page begins. */
const END_BEGINS = Buffer.from('{"type":"end"');

/** The first line of an archive of any version. */
const Header = z.object({ type: z.literal('archive'), format: z.literal('sallyport-context') });

/** What an import could not do as the archive says. */
const NOT_DONE: ReadonlySet<string> = new Set(['conflict', 'missing']);

/** Everything that the token sees into a file, and such a file back. */
export const ARCHIVE_ACTIONS: Readonly<Record<string, ContextAction>> = {
  export: {
    usage: 'FILE [--resume]',
    positionals: { min: 1, max: 1 },
    options: ['resume'],
    async run(door, [file = ''], input, terminal) {
      const opened = await openFile(file, input.flag('resume') ? 'a+' : 'ax+');
      if (!opened.ok) return opened;
      await using handle = opened.value;
      const known = await findEnd(handle);
      if (known === undefined) return err(misused(`${file} is no archive; it is left as it is`));
      const total = { documents: known.documents, relations: known.relations };
      let isCut = false;
      for (let { next } = known; next !== null; ) {
        const page = await readPage(door, next);
        if (!page.ok) {
          terminal.note(`${total.documents} documents are in ${file}; go on with \`--resume\``);
          return page;
        }
        // What follows the last whole page goes when there is something in its place.
        if (!isCut) await handle.truncate(known.offset);
        isCut = true;
        await handle.appendFile(page.value.text);
        total.documents += page.value.end.documents;
        total.relations += page.value.end.relations;
        next = page.value.end.next;
      }
      const text = `${total.documents} documents and ${total.relations} relations are in ${file}`;
      return ok({ text, json: { file, ...total } });
    },
  },
  import: {
    usage: 'FILE',
    positionals: { min: 1, max: 1 },
    options: [],
    async run(door, [file = '']) {
      const opened = await openFile(file, 'r');
      if (!opened.ok) return opened;
      await using handle = opened.value;
      const totals: Record<string, Record<string, number>> = { document: {}, relation: {} };
      const notDone: string[] = [];
      let last = '';
      for await (const { lines, first } of batchesOf(handle)) {
        const results = await sendLines(door, lines);
        if (!results.ok) {
          const where = `in ${file} from line ${first}; what came before is imported, and may be again`;
          return err({ ...results.error, details: [where] });
        }
        for (const { type, id, outcome } of results.value) {
          totals[type] = { ...totals[type], [outcome]: (totals[type]?.[outcome] ?? 0) + 1 };
          if (NOT_DONE.has(outcome)) notDone.push(id);
        }
        last = lines.at(-1)?.toString() ?? '';
      }
      const end = End.safeParse(parseJson(last));
      if (!end.success || end.data.next !== null) {
        return err(failed(`${file} is cut short; what is in it was imported`, { json: { ...totals } }));
      }
      const text = `documents: ${describeCounts(totals['document'])}; relations: ${describeCounts(totals['relation'])}`;
      const json = { documents: totals['document'], relations: totals['relation'], not_done: notDone };
      return ok({ text, json, ...(notDone.length === 0 ? {} : { exit: 1 as const }) });
    },
  },
};

async function openFile(file: string, flags: string): Promise<Result<FileHandle, Failure>> {
  try {
    return ok(await open(file, flags, OWNER_ONLY));
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    return err(
      isThere ? misused(`${file} is there already`) : failed(`cannot open ${file}: ${reasonOf(error)}`),
    );
  }
}

/** One page, whole: its last line says so. */
async function readPage(
  door: ContextDoor,
  after: string | undefined,
): Promise<Result<{ readonly text: string; readonly end: End }, Failure>> {
  const answer = await door.ask({ path: `/export${after === undefined ? '' : `?after=${after}`}` });
  const text = answer.ok ? await readText(answer.value) : answer;
  if (!text.ok) return text;
  const end = End.safeParse(
    parseJson(text.value.slice(text.value.lastIndexOf('\n', text.value.length - 2) + 1)),
  );
  return end.success ? ok({ text: text.value, end: end.data }) : err(failed('the export was cut short'));
}

/** How far the whole pages of a file go: what is in them, the byte after the last one, and the document after which there is more. */
type Progress = {
  readonly documents: number;
  readonly relations: number;
  readonly offset: number;
  /** Undefined before the first page, null after the last. */
  readonly next: string | null | undefined;
};

/** The progress of an export in a file, which may be empty; undefined where the file is something else. */
async function findEnd(handle: FileHandle): Promise<Progress | undefined> {
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
async function* batchesOf(
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

/** Sends lines until all of them were taken. */
async function sendLines(
  door: ContextDoor,
  lines: readonly Buffer[],
): Promise<Result<z.infer<typeof Report>['results'], Failure>> {
  const [header = Buffer.alloc(0), ...left] = lines;
  const results: z.infer<typeof Report>['results'] = [];
  for (;;) {
    const text = Buffer.concat([header, ...left].flatMap((line) => [line, LINE_FEED]));
    const packed = await promisify(gzip)(text);
    const answer = await door.askJson({
      method: 'POST',
      path: '/import',
      headers: { 'content-type': 'application/gzip' },
      body: new Uint8Array(packed),
    });
    if (!answer.ok) return answer;
    const report = Report.safeParse(answer.value);
    if (!report.success) return err(failed('the gateway’s answer is no report of an import'));
    results.push(...report.data.results);
    if (report.data.complete) return ok(results);
    left.splice(0, report.data.lines - 1);
  }
}

function describeCounts(counts: Readonly<Record<string, number>> = {}): string {
  const words = Object.entries(counts).map(([outcome, count]) => `${count} ${outcome}`);
  return words.length === 0 ? 'none' : words.join(', ');
}
