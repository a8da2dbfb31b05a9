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
  textOf,
  unwrap,
} from './syntax.ts';

/** Something at module scope that can hold what a request brought. `id` is its path and name, or what it does. */
export type ModuleState = { readonly id: string; readonly at: string; readonly what: string };

/** Functions whose result holds nothing that changes. */
const CONSTANT_CALLS: ReadonlySet<string> = new Set(['Symbol', 'Object.freeze']);
const CONSTANT_NODES =
  /^(?:Literal|TemplateLiteral|UnaryExpression|BinaryExpression|LogicalExpression|ConditionalExpression|Identifier|MemberExpression|ArrayExpression|ObjectExpression|Property|SpreadElement|TemplateElement|Super)$/;
const READ_ONLY_COLLECTION = /^: Readonly(?:Set|Map)</;
const MUTATORS: ReadonlySet<string> = new Set([
  'add',
  'append',
  'clear',
  'copyWithin',
  'delete',
  'enterWith',
  'fill',
  'pop',
  'push',
  'reverse',
  'set',
  'shift',
  'sort',
  'splice',
  'unshift',
]);
const MUTATING_CALLS =
  /^(?:Object\.(?:assign|define\w+|setPrototypeOf)|Reflect\.(?:set|defineProperty|deleteProperty))$/;
const REMEMBERS = 'is a regular expression that remembers where it was';
/** They begin at the beginning, and leave an expression that is not sticky there. */
const REPLACERS: ReadonlySet<string> = new Set(['match', 'matchAll', 'replace', 'replaceAll', 'split']);
const GLOBALS = [
  'globalThis',
  'global',
  'process',
  'console',
  'Object',
  'Array',
  'Map',
  'Set',
  'JSON',
] as const;

/**
 * What of a module can hold a request: variables, objects that can change, statements that run when it is loaded, static members, and
 * every write to a name of the module, of another one, or of the process, from anywhere in it. Does NOT look into what is called.
 */
export function findModuleState(source: Source): readonly ModuleState[] {
  return [...findDeclared(source), ...findWritten(source)];
}

function findDeclared(source: Source): readonly ModuleState[] {
  return source.body.flatMap((statement) => {
    const declaration = nodeOf(statement, 'declaration') ?? statement;
    if (declaration.type === 'VariableDeclaration') {
      return findVariables(source, declaration).filter(
        ({ name, what }) =>
          what !== REMEMBERS || declaration !== statement || !isOnlyReplacedBy(source, name),
      );
    }
    if (declaration.type === 'ClassDeclaration') return findStatics(source, declaration);
    if (/^(?:Import|Export|TS)/.test(declaration.type) || isFunction(declaration)) return [];
    const first = textOf(source, declaration).split('\n')[0] ?? '';
    return [
      { id: `${source.path} ${first}`, at: placeOf(source, declaration), what: 'runs when it is loaded' },
    ];
  });
}

function findVariables(
  source: Source,
  declaration: Node,
): readonly (ModuleState & { readonly name: string })[] {
  if (declaration['declare'] === true) return [];
  return nodesOf(declaration['declarations']).flatMap((one) => {
    const target = nodeOf(one, 'id');
    const init = nodeOf(one, 'init');
    const what =
      declaration['kind'] !== 'const'
        ? `is a \`${String(declaration['kind'])}\``
        : isEmptyCollection(init)
          ? 'is an empty collection, there to be filled'
          : findChanging(source, init, textOf(source, nodeOf(target, 'typeAnnotation')));
    if (what === undefined) return [];
    const name = boundBy(target).join(',');
    return [{ id: `${source.path} ${name}`, name, at: placeOf(source, one), what }];
  });
}

/** Is a regular expression with `g` alone used for nothing but what does not look where it was? */
function isOnlyReplacedBy(source: Source, name: string): boolean {
  let others = -1;
  const visit = (node: Node) => {
    if (nameOf(node) === name) others += 1;
    const callee = node.type === 'CallExpression' ? nodeOf(node, 'callee') : undefined;
    const isReplacer = REPLACERS.has(nameOf(nodeOf(callee, 'property')) ?? '');
    if (isReplacer && nameOf(nodesOf(node['arguments'])[0]) === name) others -= 1;
    for (const child of childrenOf(node)) visit(child);
  };
  for (const statement of source.body) visit(statement);
  return others === 0;
}

function findStatics(source: Source, declaration: Node): readonly ModuleState[] {
  const name = nameOf(nodeOf(declaration, 'id'));
  return nodesOf(nodeOf(declaration, 'body')?.['body']).flatMap((member) => {
    if (member['static'] !== true && member.type !== 'StaticBlock') return [];
    if (member.type === 'MethodDefinition') return [];
    const id = `${source.path} ${name}.${nameOf(nodeOf(member, 'key')) ?? 'static'}`;
    return [{ id, at: placeOf(source, member), what: 'is a static member' }];
  });
}

/** Why a value can change once it is there; undefined where it cannot, but by being written to. */
function findChanging(source: Source, value: Node | undefined, annotation = ''): string | undefined {
  if (value === undefined) return undefined;
  const node = unwrap(value);
  if (isFunction(node)) return undefined;
  if (node.type === 'NewExpression') {
    const made = textOf(source, nodeOf(node, 'callee'));
    const isReadOnly = (made === 'Set' || made === 'Map') && READ_ONLY_COLLECTION.test(annotation);
    return isReadOnly
      ? findFirst(source, nodesOf(node['arguments']))
      : `is a \`new ${made}\` that can change`;
  }
  if (node.type === 'CallExpression') {
    const called = textOf(source, nodeOf(node, 'callee'));
    return CONSTANT_CALLS.has(called) ? undefined : `is what \`${called}\` gives`;
  }
  const flags = isLiteral(node) ? String(node['regex'].flags) : '';
  if (flags.includes('y')) return 'is a sticky regular expression, which remembers where it was';
  if (flags.includes('g')) return REMEMBERS;
  if (!CONSTANT_NODES.test(node.type)) return `is a ${node.type}`;
  return findFirst(source, childrenOf(node));
}

function isLiteral(node: Node): node is Node & { readonly regex: { readonly flags: unknown } } {
  const { regex } = node;
  return node.type === 'Literal' && typeof regex === 'object' && regex !== null && 'flags' in regex;
}

function findFirst(source: Source, nodes: readonly Node[]): string | undefined {
  return nodes.map((node) => findChanging(source, node)).find((what) => what !== undefined);
}

/** Every write to a name that the module declares or imports, or to the process, wherever it is written. */
function findWritten(source: Source): readonly ModuleState[] {
  const names = new Set<string>([...GLOBALS, ...source.body.flatMap(declaredBy)]);
  const found: ModuleState[] = [];
  const visit = (node: Node, shadowed: ReadonlySet<string>) => {
    const inner = isFunction(node) ? new Set([...shadowed, ...localsOf(node)]) : shadowed;
    for (const written of writtenBy(source, node)) {
      if (!names.has(written) || inner.has(written)) continue;
      const [first = ''] = textOf(source, node).split('\n');
      found.push({
        id: `${source.path} ${written}`,
        at: placeOf(source, node),
        what: `is written to: ${first}`,
      });
    }
    for (const child of childrenOf(node)) visit(child, inner);
  };
  for (const statement of source.body) visit(statement, new Set());
  return found;
}

function declaredBy(statement: Node): readonly string[] {
  if (statement.type === 'ImportDeclaration') {
    return nodesOf(statement['specifiers']).flatMap((one) => nameOf(nodeOf(one, 'local')) ?? []);
  }
  const declaration = nodeOf(statement, 'declaration') ?? statement;
  if (declaration.type === 'VariableDeclaration') {
    return nodesOf(declaration['declarations']).flatMap((one) => boundBy(nodeOf(one, 'id')));
  }
  return nameOf(nodeOf(declaration, 'id')) === undefined ? [] : [nameOf(nodeOf(declaration, 'id')) ?? ''];
}

/** The parameters of a function and all that is declared in it, but in functions within. */
function localsOf(node: Node): readonly string[] {
  const locals = nodesOf(node['params']).flatMap(boundBy);
  const visit = (inner: Node) => {
    if (/^(?:VariableDeclaration|ClassDeclaration|FunctionDeclaration)$/.test(inner.type)) {
      locals.push(...declaredBy(inner));
    }
    if (inner.type === 'CatchClause') locals.push(...boundBy(nodeOf(inner, 'param')));
    if (!isFunction(inner)) for (const child of childrenOf(inner)) visit(child);
  };
  for (const child of nodesOf(node['body'])) visit(child);
  return locals;
}

/** What an assignment assigns to, in a destructuring too. */
function targetsOf(left: Node): readonly Node[] {
  if (left.type === 'AssignmentPattern') return nodesOf(left['left']).flatMap(targetsOf);
  if (left.type === 'Property') return nodesOf(left['value']).flatMap(targetsOf);
  const isPattern = /(?:Pattern|RestElement)$/.test(left.type);
  return isPattern ? childrenOf(left).flatMap(targetsOf) : [left];
}

/** `[]`, `{}`, `new Map()` */
function isEmptyCollection(value: Node | undefined): boolean {
  if (value === undefined) return false;
  const node = unwrap(value);
  const isLiteral = /^(?:Array|Object)Expression$/.test(node.type);
  if (!isLiteral && node.type !== 'NewExpression') return false;
  const members = [
    ...nodesOf(node['elements']),
    ...nodesOf(node['properties']),
    ...nodesOf(node['arguments']),
  ];
  return members.length === 0;
}

/** The variables whose value, or a part of it, a node changes. */
function writtenBy(source: Source, node: Node): readonly string[] {
  const roots = (...written: readonly (Node | undefined)[]) =>
    written.flatMap((one) => (one === undefined ? [] : (rootOf(one) ?? [])));
  switch (node.type) {
    case 'AssignmentExpression':
      return nodesOf(node['left'])
        .flatMap(targetsOf)
        .flatMap((target) => rootOf(target) ?? []);
    case 'UpdateExpression':
      return roots(nodeOf(node, 'argument'));
    case 'UnaryExpression':
      return node['operator'] === 'delete' ? roots(nodeOf(node, 'argument')) : [];
    case 'CallExpression': {
      const callee = nodeOf(node, 'callee');
      if (callee === undefined) return [];
      if (MUTATING_CALLS.test(textOf(source, callee))) return roots(nodesOf(node['arguments'])[0]);
      const method = callee.type === 'MemberExpression' ? nameOf(nodeOf(callee, 'property')) : undefined;
      return method !== undefined && MUTATORS.has(method) ? roots(nodeOf(callee, 'object')) : [];
    }
    default:
      return [];
  }
}
