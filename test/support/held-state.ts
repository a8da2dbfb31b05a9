import { posix } from 'node:path';
import {
  boundBy,
  childrenOf,
  isFunction,
  type Node,
  nameOf,
  nodeOf,
  nodesOf,
  placeOf,
  rootOf,
  type Source,
  unwrap,
} from './syntax.ts';

/** Something that lives as long as an execution environment. `id` is its path, the function or class that makes it, and its name. */
export type HeldState = { readonly id: string; readonly at: string };

/** Methods that call a function that they are given before they return. */
const CALLS_AT_ONCE = /^(?:map|flatMap|forEach|filter|find|some|every|reduce|from|then|finally)$/;
const COLLECTIONS =
  /^(?:Map|Set|WeakMap|WeakSet|Array|URL|URLSearchParams|Headers|Uint8Array|AsyncLocalStorage)$/;

/** A function or class of ours, where it was declared. */
type Declared = { readonly source: Source; readonly node: Node; readonly name: string };

/**
 * The state that is made while the modules load and lives as long as they do: of every function that is called then, directly or by
 * another that is, the variables that functions within it share, where they can change; of every class that is instantiated then,
 * the fields that can change. What is made anew for each request is none of it.
 */
export function findHeldState(sources: readonly Source[]): readonly HeldState[] {
  const declarations = indexDeclarations(sources);
  const found = new Map<string, HeldState>();
  const walked = new Set<Node>();
  const walk = (source: Source, nodes: readonly Node[]) => {
    for (const node of nodes) {
      if (isFunction(node) || node.type === 'ClassDeclaration') continue;
      const callee = /^(?:Call|New)Expression$/.test(node.type) ? nodeOf(node, 'callee') : undefined;
      const called = declarations.find(source, nameOf(callee));
      if (called !== undefined) visit(called);
      const method = callee?.type === 'MemberExpression' ? nameOf(nodeOf(callee, 'property')) : undefined;
      if (method !== undefined && CALLS_AT_ONCE.test(method)) {
        for (const given of nodesOf(node['arguments']))
          if (isFunction(given)) walk(source, childrenOf(given));
      }
      walk(source, childrenOf(node));
    }
  };
  const visit = ({ source, node, name }: Declared) => {
    if (walked.has(node)) return;
    walked.add(node);
    for (const state of node.type === 'ClassDeclaration' ? fieldsOf(node) : sharedBy(node)) {
      const id = `${source.path} ${name} ${state.name}`;
      found.set(id, { id, at: placeOf(source, state.node) });
    }
    if (node.type !== 'ClassDeclaration') walk(source, childrenOf(node));
  };
  for (const source of sources) walk(source, source.body);
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function indexDeclarations(sources: readonly Source[]) {
  const own = new Map<string, Declared>();
  const imported = new Map<string, string>();
  for (const source of sources) {
    for (const statement of source.body) {
      const node = nodeOf(statement, 'declaration') ?? statement;
      for (const { name, value } of declaredIn(node))
        own.set(`${source.path} ${name}`, { source, node: value, name });
      const specifier = nodeOf(statement, 'source')?.['value'];
      if (statement.type !== 'ImportDeclaration' || typeof specifier !== 'string') continue;
      const path = posix.join(posix.dirname(source.path), specifier);
      for (const one of nodesOf(statement['specifiers'])) {
        const local = nameOf(nodeOf(one, 'local'));
        imported.set(`${source.path} ${local}`, `${path} ${nameOf(nodeOf(one, 'imported')) ?? local}`);
      }
    }
  }
  return {
    find: ({ path }: Source, name: string | undefined): Declared | undefined => {
      const local = `${path} ${name}`;
      return own.get(imported.get(local) ?? local);
    },
  };
}

/** The functions and classes that a statement of a module names. */
function declaredIn(node: Node): readonly { readonly name: string; readonly value: Node }[] {
  const name = nameOf(nodeOf(node, 'id'));
  if (name !== undefined && (isFunction(node) || node.type === 'ClassDeclaration'))
    return [{ name, value: node }];
  if (node.type !== 'VariableDeclaration') return [];
  return nodesOf(node['declarations']).flatMap((one) => {
    const value = nodeOf(one, 'init');
    const named = nameOf(nodeOf(one, 'id'));
    return named !== undefined && value !== undefined && isFunction(value) ? [{ name: named, value }] : [];
  });
}

type Named = { readonly name: string; readonly node: Node };

/** Variables of a function that functions within it use and that can change: every `let`, and every collection or object that is written to. */
function sharedBy(node: Node): readonly Named[] {
  const used = new Set<string>();
  const written = new Set<string>();
  const look = (inner: Node, depth: number) => {
    const name = nameOf(inner);
    if (name !== undefined && depth > 0) used.add(name);
    const target = nodeOf(inner, inner.type === 'AssignmentExpression' ? 'left' : 'argument');
    const isWrite = /^(?:Assignment|Update)Expression$/.test(inner.type);
    const root = isWrite && target !== undefined ? rootOf(target) : undefined;
    if (root !== undefined) written.add(root);
    for (const child of childrenOf(inner)) look(child, depth + (isFunction(child) ? 1 : 0));
  };
  for (const child of childrenOf(node)) look(child, 0);
  return declarationsIn(node).flatMap(({ kind, declarator }) => {
    const names = boundBy(nodeOf(declarator, 'id')).filter((name) => used.has(name));
    const init = nodeOf(declarator, 'init');
    const canChange = kind !== 'const' || isCollection(init);
    return names.filter((name) => canChange || written.has(name)).map((name) => ({ name, node: declarator }));
  });
}

/** The variables of a function itself, in its blocks too, but not of functions within. */
function declarationsIn(node: Node): readonly { readonly kind: unknown; readonly declarator: Node }[] {
  return childrenOf(node).flatMap((child) => {
    if (isFunction(child)) return [];
    const own =
      child.type === 'VariableDeclaration'
        ? nodesOf(child['declarations']).map((declarator) => ({ kind: child['kind'], declarator }))
        : [];
    return [...own, ...declarationsIn(child)];
  });
}

/** Fields of a class that can change. */
function fieldsOf(node: Node): readonly Named[] {
  return nodesOf(nodeOf(node, 'body')?.['body']).flatMap((member) => {
    const name = nameOf(nodeOf(member, 'key'));
    if (member.type !== 'PropertyDefinition' || name === undefined) return [];
    const canChange = member['readonly'] !== true || isCollection(nodeOf(member, 'value'));
    return canChange ? [{ name, node: member }] : [];
  });
}

function isCollection(value: Node | undefined): boolean {
  if (value === undefined) return false;
  const node = unwrap(value);
  if (node.type === 'ArrayExpression') return nodesOf(node['elements']).length === 0;
  if (node.type === 'ObjectExpression') return nodesOf(node['properties']).length === 0;
  return node.type === 'NewExpression' && COLLECTIONS.test(nameOf(nodeOf(node, 'callee')) ?? '');
}
