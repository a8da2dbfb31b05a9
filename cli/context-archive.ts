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

/** What an import could not do as the archive says. */
const NOT_DONE: ReadonlySet<string> = new Set(['conflict', 'missing']);

/** Everything that the token sees into a file, and such a file back. */
export const ARCHIVE_ACTIONS: Readonly<Record<string, ContextAction>> = {
  export: {
    usage: 'FILE [--resume]',
    positionals: { min: 1, max: 1 },
    options: ['resume'],
    async run(door, [file = ''], input, terminal) {
      const opened = await openFile(file, input.flag('resume') ? 'a+' : 'ax');
      if (!opened.ok) return opened;
      await using handle = opened.value;
      const known = input.flag('resume') ? await findEnd(handle) : undefined;
      await handle.truncate(known?.offset ?? 0);
      const total = { documents: known?.documents ?? 0, relations: known?.relations ?? 0 };
      for (let next = known?.next; next !== null; ) {
        const page = await readPage(door, next);
        if (!page.ok) {
          terminal.note(`${total.documents} documents are in ${file}; go on with \`--resume\``);
          return page;
        }
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
        last = lines.at(-1) ?? '';
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
    return ok(await open(file, flags));
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

/** The last whole page of a file, and where it ends; undefined where there is none. */
async function findEnd(handle: FileHandle): Promise<(End & { readonly offset: number }) | undefined> {
  let found: (End & { readonly offset: number }) | undefined;
  let offset = 0;
  const total = { documents: 0, relations: 0 };
  for await (const line of handle.readLines({ start: 0, autoClose: false })) {
    offset += Buffer.byteLength(line) + 1;
    const end = line.startsWith('{"type":"end"') ? End.safeParse(parseJson(line)) : undefined;
    if (end?.success !== true) continue;
    total.documents += end.data.documents;
    total.relations += end.data.relations;
    found = { ...end.data, ...total, offset };
  }
  return found;
}

/** The lines of an archive in groups, each begun by the archive's first line. `first` is the number of the line after it. */
async function* batchesOf(
  handle: FileHandle,
): AsyncGenerator<{ readonly lines: readonly string[]; readonly first: number }> {
  let header: string | undefined;
  let lines: string[] = [];
  let bytes = 0;
  let number = 0;
  for await (const line of handle.readLines({ start: 0, autoClose: false })) {
    number += 1;
    if (header === undefined) {
      header = line;
      continue;
    }
    const size = Buffer.byteLength(line);
    if (lines.length > 0 && (lines.length >= BATCH_LINES || bytes + size > BATCH_BYTES)) {
      yield { lines: [header, ...lines], first: number - lines.length };
      lines = [];
      bytes = 0;
    }
    lines.push(line);
    bytes += size;
  }
  yield { lines: [header ?? '', ...lines], first: number - lines.length + 1 };
}

/** Sends lines until all of them were taken. */
async function sendLines(
  door: ContextDoor,
  lines: readonly string[],
): Promise<Result<z.infer<typeof Report>['results'], Failure>> {
  const [header = '', ...left] = lines;
  const results: z.infer<typeof Report>['results'] = [];
  for (;;) {
    const packed = await promisify(gzip)([header, ...left, ''].join('\n'));
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
