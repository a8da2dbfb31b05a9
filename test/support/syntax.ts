import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseAst } from 'vitest/node';

/** A node of an ESTree, with TypeScript's own. */
export type Node = {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [member: string]: unknown;
};

/** A parsed source file. `path` is from the root of the repository. */
export type Source = { readonly path: string; readonly text: string; readonly body: readonly Node[] };

/** Parses TypeScript. @throws Error on what is no TypeScript */
export function parseSource(path: string, text: string): Source {
  const program: unknown = parseAst(text, { lang: path.endsWith('x') ? 'tsx' : 'ts' });
  return { path, text, body: isNode(program) ? nodesOf(program['body']) : [] };
}

/** Every source file under a folder of the repository. */
export function readSources(root: string, folder: string): readonly Source[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => posix.join(folder, name))
    .sort()
    .map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')));
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** The nodes of a list, or the one node; none of anything else. */
export function nodesOf(value: unknown): readonly Node[] {
  if (Array.isArray(value)) return value.filter(isNode);
  return isNode(value) ? [value] : [];
}

/** The member of a node that is one node. */
export function nodeOf(node: Node | undefined, member: string): Node | undefined {
  const value = node?.[member];
  return isNode(value) ? value : undefined;
}

/** The children of a node in source order; types are none. */
export function childrenOf(node: Node): readonly Node[] {
  if (node.type.startsWith('TS') && !VALUE_WRAPPERS.has(node.type)) return [];
  return Object.entries(node).flatMap(([name, value]) => (name.startsWith('type') ? [] : nodesOf(value)));
}

/** Expressions of TypeScript around a value. */
const VALUE_WRAPPERS: ReadonlySet<string> = new Set([
  'TSAsExpression',
  'TSSatisfiesExpression',
  'TSNonNullExpression',
  'TSTypeAssertion',
]);

/** What an expression is beneath `as`, `satisfies`, `await` and brackets. */
export function unwrap(node: Node): Node {
  const isWrapper =
    VALUE_WRAPPERS.has(node.type) || /^(?:Parenthesized|Await|Chain)Expression$/.test(node.type);
  const inner = nodeOf(node, 'expression') ?? nodeOf(node, 'argument');
  return isWrapper && inner !== undefined ? unwrap(inner) : node;
}

export function isFunction(node: Node): boolean {
  return /^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type);
}

/** The name of an identifier. */
export function nameOf(node: Node | undefined): string | undefined {
  const isName = node?.type === 'Identifier' || node?.type === 'PrivateIdentifier';
  return isName ? String(node['name']) : undefined;
}

/** What stands in the file at a node. */
export function textOf(source: Source, node: Node | undefined): string {
  return node === undefined ? '' : source.text.slice(node.start, node.end);
}

/** `path:line` of a node. */
export function placeOf(source: Source, node: Node): string {
  return `${source.path}:${source.text.slice(0, node.start).split('\n').length}`;
}

/** The names that a pattern binds. */
export function boundBy(pattern: Node | undefined): readonly string[] {
  if (pattern === undefined) return [];
  const name = nameOf(pattern);
  if (name !== undefined) return [name];
  if (pattern.type === 'Property') return boundBy(nodeOf(pattern, 'value'));
  if (pattern.type === 'AssignmentPattern') return boundBy(nodeOf(pattern, 'left'));
  if (pattern.type === 'TSParameterProperty') return boundBy(nodeOf(pattern, 'parameter'));
  return [
    ...nodesOf(pattern['properties']),
    ...nodesOf(pattern['elements']),
    ...nodesOf(pattern['argument']),
  ].flatMap(boundBy);
}

/** The variable that an expression is a part of: `a` of `a.b[c].d`. */
export function rootOf(node: Node): string | undefined {
  const bare = unwrap(node);
  const object = bare.type === 'MemberExpression' ? nodeOf(bare, 'object') : undefined;
  return object === undefined ? nameOf(bare) : rootOf(object);
}
