import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { err, ok, type Result } from '../functions/core/result.ts';
import { type ContextDoor, type ContextRequest, readText } from './context-door.ts';
import { describeAll, describeDocument, describeMore } from './context-words.ts';
import { parseJson } from './http.ts';
import { type Failure, failed, misused, type Output, reasonOf } from './outcome.ts';
import type { Terminal } from './terminal.ts';
import type { Arguments } from './verb.ts';

/** One document verb: its arguments and options, and what it does with them. */
export type ContextAction = {
  readonly usage: string;
  readonly positionals: { readonly min: number; readonly max: number };
  /** Those of the options of `context` that mean something here. */
  readonly options: readonly string[];
  run(
    door: ContextDoor,
    positionals: readonly string[],
    input: Arguments,
    terminal: Terminal,
  ): Promise<Result<Output, Failure>>;
};

const JSON_BODY = { 'content-type': 'application/json' };

/** What is done with one document or a list of them. */
export const DOCUMENT_ACTIONS: Readonly<Record<string, ContextAction>> = {
  list: {
    usage: '[--filename PART] [--tags A,B] [--limit N] [--cursor=CURSOR]',
    positionals: { min: 0, max: 0 },
    options: ['filename', 'tags', 'limit', 'cursor'],
    async run(door, _positionals, input) {
      const page = await door.askJson({ path: `/documents${queryOf(input, this.options)}` });
      if (!page.ok) return page;
      const { documents, next_cursor: next } = page.value;
      const text = describeAll(documents, describeDocument, 'no documents for this token');
      return ok({ text: `${text}${describeMore(next)}`, json: page.value });
    },
  },
  search: {
    usage: "'WORDS' [--limit N]",
    positionals: { min: 1, max: 1 },
    options: ['limit'],
    async run(door, [words = ''], input) {
      const query = queryOf(input, this.options, { q: words });
      const found = await door.askJson({ path: `/search${query}` });
      if (!found.ok) return found;
      const text = describeAll(found.value['results'], describeDocument, 'nothing found');
      return ok({ text, json: found.value });
    },
  },
  info: {
    usage: 'ID',
    positionals: { min: 1, max: 1 },
    options: [],
    run: (door, [id]) => described(door, { path: `${toDocument(id)}/metadata` }),
  },
  read: {
    usage: 'ID [--offset N] [--limit N]',
    positionals: { min: 1, max: 1 },
    options: ['offset', 'limit'],
    async run(door, [id], input) {
      const answer = await door.ask({ path: `${toDocument(id)}${queryOf(input, this.options)}` });
      if (!answer.ok) return answer;
      const { headers } = answer.value;
      const content = await readText(answer.value);
      if (!content.ok) return content;
      const json = { content: content.value, content_type: headers.get('content-type') };
      return ok({ text: content.value, json });
    },
  },
  pull: {
    usage: 'ID FILE',
    positionals: { min: 2, max: 2 },
    options: [],
    async run(door, [id, file = '']) {
      const answer = await door.ask({ path: toDocument(id) });
      if (!answer.ok) return answer;
      try {
        const bytes = await answer.value.bytes();
        await writeFile(file, bytes, { flag: 'wx', mode: 0o600 });
        return ok({
          text: `wrote ${bytes.length} bytes to ${file}`,
          json: { file, size_bytes: bytes.length },
        });
      } catch (error) {
        return err(failed(`cannot write ${file}: ${reasonOf(error)}`));
      }
    },
  },
  push: {
    usage: "FILE [--filename NAME] [--tags A,B] [--metadata 'JSON'] [--ttl SECONDS]",
    positionals: { min: 1, max: 1 },
    options: ['filename', 'tags', 'metadata', 'ttl'],
    async run(door, [file = ''], input, terminal) {
      const content = await readContent(file, terminal);
      if (!content.ok) return content;
      const name = input.text('filename') ?? (file === '-' ? undefined : basename(file));
      if (name === undefined) return err(misused('standard input has no name: `--filename NAME`'));
      const form = new FormData();
      form.set('file', new File([content.value], name));
      for (const [option, part] of [
        ['tags', 'tags'],
        ['metadata', 'metadata'],
        ['ttl', 'ttl_seconds'],
      ] as const) {
        const value = input.text(option);
        if (value !== undefined) form.set(part, value);
      }
      return described(door, { method: 'POST', path: '/documents', body: form });
    },
  },
  create: {
    usage: "NAME [--tags A,B] [--metadata 'JSON'] [--ttl SECONDS]",
    positionals: { min: 1, max: 1 },
    options: ['tags', 'metadata', 'ttl'],
    async run(door, [filename], input) {
      const [tags, metadata, ttl] = ['tags', 'metadata', 'ttl'].map((name) => input.text(name));
      const body = JSON.stringify({
        filename,
        tags: tags?.split(','),
        metadata: metadata === undefined ? undefined : (parseJson(metadata) ?? null),
        ttl_seconds: ttl === undefined ? undefined : Number(ttl),
      });
      return described(door, { method: 'POST', path: '/documents', headers: JSON_BODY, body });
    },
  },
  write: {
    usage: 'ID FILE [--if-version N]',
    positionals: { min: 2, max: 2 },
    options: ['if-version'],
    async run(door, [id, file = ''], input, terminal) {
      const content = await readContent(file, terminal);
      if (!content.ok) return content;
      const path = `${toDocument(id)}/content`;
      return described(door, { method: 'PUT', path, headers: ifMatch(input), body: content.value });
    },
  },
  edit: {
    usage: "ID --old 'TEXT' --new 'TEXT' [--all] | ID --offset N [--length N] --new 'TEXT'",
    positionals: { min: 1, max: 1 },
    options: ['old', 'new', 'all', 'offset', 'length', 'if-version'],
    async run(door, [id], input) {
      const [offset, length] = [input.text('offset'), input.text('length')];
      const body = JSON.stringify({
        old_string: input.text('old'),
        new_string: input.text('new'),
        replace_all: input.flag('all') || undefined,
        offset: offset === undefined ? undefined : Number(offset),
        length: length === undefined ? undefined : Number(length),
      });
      const headers = { ...JSON_BODY, ...ifMatch(input) };
      return described(door, { method: 'PATCH', path: `${toDocument(id)}/content`, headers, body });
    },
  },
  delete: {
    usage: 'ID [--if-version N]',
    positionals: { min: 1, max: 1 },
    options: ['if-version'],
    async run(door, [id], input) {
      const gone = await door.askJson({ method: 'DELETE', path: toDocument(id), headers: ifMatch(input) });
      return gone.ok ? ok({ text: String(gone.value['message']), json: gone.value }) : gone;
    },
  },
};

/** The path of a document; what is no id is not found there. */
export function toDocument(id = ''): string {
  return `/documents/${encodeURIComponent(id)}`;
}

async function described(door: ContextDoor, request: ContextRequest): Promise<Result<Output, Failure>> {
  const document = await door.askJson(request);
  return document.ok ? ok({ text: describeDocument(document.value), json: document.value }) : document;
}

/** A query string of the options that are given, under their own names. */
export function queryOf(
  input: Arguments,
  names: readonly string[],
  more: Readonly<Record<string, string>> = {},
): string {
  const query = new URLSearchParams(more);
  for (const name of names) {
    const value = input.text(name);
    if (value !== undefined) query.set(name, value);
  }
  return query.size === 0 ? '' : `?${query}`;
}

function ifMatch(input: Arguments): Readonly<Record<string, string>> {
  const version = input.text('if-version');
  return version === undefined ? {} : { 'if-match': `"${version}"` };
}

/** The bytes of a file; `-` is the text on standard input. */
async function readContent(
  file: string,
  terminal: Terminal,
): Promise<Result<Uint8Array<ArrayBuffer>, Failure>> {
  try {
    return ok(file === '-' ? new TextEncoder().encode(await terminal.readInput()) : await readFile(file));
  } catch (error) {
    return err(failed(`cannot read ${file}: ${reasonOf(error)}`));
  }
}
