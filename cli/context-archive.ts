import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { z } from 'zod';
import { err, ok, type Result } from '../functions/core/result.ts';
import { batchesOf, End, findEnd, openArchive } from './archive-file.ts';
import type { ContextAction } from './context-actions.ts';
import { type ContextDoor, readText } from './context-door.ts';
import { parseJson } from './http.ts';
import { type Failure, failed, misused } from './outcome.ts';

const Report = z.object({
  lines: z.number().int().min(1),
  complete: z.boolean(),
  results: z.array(z.object({ type: z.string(), id: z.string(), outcome: z.string() })),
});

const LINE_FEED = Buffer.from('\n');

/** What an import could not do as the archive says. */
const NOT_DONE: ReadonlySet<string> = new Set(['conflict', 'missing']);

/** Everything that the token sees into a file, and such a file back. */
export const ARCHIVE_ACTIONS: Readonly<Record<string, ContextAction>> = {
  export: {
    usage: 'FILE [--resume]',
    positionals: { min: 1, max: 1 },
    options: ['resume'],
    async run(door, [file = ''], input, terminal) {
      const opened = await openArchive(file, input.flag('resume') ? 'a+' : 'ax+');
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
      const opened = await openArchive(file, 'r');
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
