import { isUtf8 } from 'node:buffer';

/** A JSON value with everything that its text says: members in their order, repeated ones too, numbers as written. */
export type Tree =
  | { readonly kind: 'object'; readonly members: readonly (readonly [name: string, value: Tree])[] }
  | { readonly kind: 'array'; readonly items: readonly Tree[] }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'scalar'; readonly lexeme: string };

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** Reads what `JSON.parse` takes, and loses nothing of it. Another reader than the one that is tested: tokens first, then a tree. */
export function readTree(text: string): Tree | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const tokens = text.match(TOKEN) ?? [];
  let at = 0;
  const read = (): Tree => {
    const token = tokens[at] ?? '';
    at += 1;
    if (token === '{') {
      const members: [string, Tree][] = [];
      while (tokens[at] !== '}') {
        const name: string = JSON.parse(tokens[at] ?? '');
        at += 2;
        members.push([name, read()]);
        if (tokens[at] === ',') at += 1;
      }
      at += 1;
      return { kind: 'object', members };
    }
    if (token === '[') {
      const items: Tree[] = [];
      while (tokens[at] !== ']') {
        items.push(read());
        if (tokens[at] === ',') at += 1;
      }
      at += 1;
      return { kind: 'array', items };
    }
    return token.startsWith('"')
      ? { kind: 'string', value: JSON.parse(token) }
      : { kind: 'scalar', lexeme: token };
  };
  return read();
}

/** The compact text of a tree: what is forwarded has no other form. */
export function writeTree(tree: Tree): string {
  switch (tree.kind) {
    case 'object':
      return `{${tree.members.map(([name, value]) => `${writeText(name)}:${writeTree(value)}`).join()}}`;
    case 'array':
      return `[${tree.items.map(writeTree).join()}]`;
    case 'string':
      return writeText(tree.value);
    case 'scalar':
      return tree.lexeme;
  }
}

/** A string; what ends a line to some reader and not to JSON is never forwarded as it stands. */
function writeText(text: string): string {
  const breaks: Readonly<Record<string, string>> = {
    '\u0085': '\\u0085',
    '\u2028': '\\u2028',
    '\u2029': '\\u2029',
  };
  return Array.from(JSON.stringify(text), (one) => breaks[one] ?? one).join('');
}

/** The tree of bytes that a request may have as its body, by the rules of the contract (§6); undefined for all others. */
export function readStrictly(bytes: Uint8Array): Tree | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = Buffer.from(bytes).toString('utf8');
  const tree = text.startsWith('\ufeff') ? undefined : readTree(text);
  if (tree === undefined) return undefined;
  const seen = { values: 0, isSound: true };
  look(tree, 1, seen);
  return seen.isSound && seen.values <= 200_000 ? tree : undefined;
}

function look(tree: Tree, depth: number, seen: { values: number; isSound: boolean }): void {
  seen.values += 1;
  if (tree.kind === 'string' && /\p{Surrogate}/u.test(tree.value)) seen.isSound = false;
  if (tree.kind === 'array' || tree.kind === 'object') {
    if (depth > 64) seen.isSound = false;
    const children = tree.kind === 'array' ? tree.items : tree.members.map(([, value]) => value);
    for (const child of children) look(child, depth + 1, seen);
  }
  if (tree.kind !== 'object') return;
  const names = tree.members.map(([name]) => name);
  if (names.some((name) => /\p{Surrogate}/u.test(name))) seen.isSound = false;
  if (new Set(names.map(caseless)).size !== names.length) seen.isSound = false;
}

/** One form of all names that some reader takes for each other: upper case, for as long as that changes anything. */
export function caseless(name: string): string {
  let form = name;
  for (let next = form.toLowerCase().toUpperCase(); next !== form; next = form.toLowerCase().toUpperCase()) {
    form = next;
  }
  return form.replace(/I\u0307+/g, 'I');
}
