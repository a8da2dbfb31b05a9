import { readFile } from 'node:fs/promises';
import { err, ok, type Result } from '../functions/core/result.ts';
import { readSecretKey, writeSecretKey } from '../functions/core/secret-key.ts';
import { parseJson } from './http.ts';
import { type Failure, failed, misused, reasonOf } from './outcome.ts';
import type { Terminal } from './terminal.ts';
import type { Arguments, Option } from './verb.ts';

/** The place of our client secrets at providers, among servers and services. */
export const PROVIDERS = '_providers';

/** How a value is given; never on the command line itself, which others on the machine can see. */
export const VALUE_OPTIONS: readonly Option[] = [
  { name: 'file', value: 'FILE', help: 'put, rotate: read the value from there and not from standard input' },
  {
    name: 'type',
    value: 'TYPE',
    help: 'the input is the bare secret of a credential of this type: bearer, basic, header or query',
  },
  { name: 'name', value: 'NAME', help: 'with --type header or query: its name' },
  { name: 'username', value: 'USER', help: 'with --type basic' },
];

/** Reads the value that is to be stored, as the gateway takes it. What is wrong is said without repeating it. */
export async function readValue(
  input: Arguments,
  terminal: Terminal,
  target: string,
): Promise<Result<object, Failure>> {
  const shape = shapeOf(input, target);
  if (!shape.ok) return shape;
  const file = input.text('file');
  if (file === undefined && terminal.isInteractive) {
    return err(misused('a secret is not typed in: pipe it to standard input, or say --file FILE'));
  }
  const alsoReads = ['token-file', 'secret-file'].find((option) => input.text(option) === '-');
  if (file === undefined && alsoReads !== undefined) {
    return err(
      misused(`standard input is the value here: give --${alsoReads} another file, or the value by --file`),
    );
  }
  let text: string;
  try {
    text = file === undefined ? await terminal.readInput() : await readFile(file, 'utf8');
  } catch (error) {
    return err(failed(`cannot read ${file}: ${reasonOf(error)}`));
  }
  const value = shape.value(text.replace(/\r?\n$/, ''));
  return value === undefined
    ? err(failed('the input is no JSON object; a bare secret goes with --type'))
    : ok(value);
}

type Shape = (text: string) => object | undefined;

function shapeOf(input: Arguments, target: string): Result<Shape, Failure> {
  const [type, name, username] = ['type', 'name', 'username'].map((option) => input.text(option));
  const isNamed = type === 'header' || type === 'query';
  if ((name !== undefined) !== isNamed) return err(misused('--name goes with --type header or query'));
  if ((username !== undefined) !== (type === 'basic'))
    return err(misused('--username goes with --type basic'));
  if (target === PROVIDERS) {
    return type === undefined
      ? ok((text) => ({ client_secret: text }))
      : err(misused('the secret of a provider has no --type: the input is the bare secret'));
  }
  switch (type) {
    case undefined:
      return ok(readObject);
    case 'bearer':
      return ok((token) => ({ type, token }));
    case 'basic':
      return ok((password) => ({ type, username, password }));
    case 'header':
    case 'query':
      return ok((value) => ({ type, name, value }));
    default:
      return err(misused(`\`${type}\` is none of bearer, basic, header, query; others are given as JSON`));
  }
}

function readObject(text: string): object | undefined {
  const value = parseJson(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}

/** An owner of a secret as the gateway spells it: `client.ID` and `user.SUBJECT` with any id, or `_default`; for providers, their name. */
export function readOwner(target: string, text: string): Result<string, Failure> {
  if (target === PROVIDERS || readSecretKey(text) !== undefined) return ok(text);
  const [, kind, id = ''] = /^(client|user)\.(.+)$/s.exec(text) ?? [];
  return kind === 'client' || kind === 'user'
    ? ok(writeSecretKey({ kind, id }))
    : err(misused(`\`${text}\` is none of client.ID, user.SUBJECT, _default`));
}
