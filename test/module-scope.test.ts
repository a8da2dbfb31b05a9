import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findHeldState } from './support/held-state.ts';
import { findModuleState } from './support/module-scope.ts';
import { parseSource, readSources } from './support/syntax.ts';

const SOURCES = readSources(join(import.meta.dirname, '..'), 'functions');

/** Files that are deployed as a function: they put the parts together when they load. What the parts hold is looked at below. */
const isWiring = (path: string) => /^functions\/[a-z-]+\.ts$/.test(path);
const WIRED =
  /^is (?:what `(?:(?:create|with|read|fileURLToPath)\w*|outages\.watch)` gives|a `new \w+Client` that can change)$/;

/** What may stand at module scope although one cannot see that it never changes, and why it does not. */
const CONSTANT: Readonly<Record<string, string>> = {
  'functions/aws/documents/reads.ts NOT_FOUND': 'a refusal, typed read-only',
  'functions/aws/documents/relation-creation.ts NOT_FOUND': 'a refusal, typed read-only',
  'functions/aws/documents/relations.ts NOT_FOUND': 'a refusal, typed read-only',
  'functions/core/configuration/interpolate.ts REFERENCE': 'used by matchAll alone, which copies it',
  'functions/core/documents/arguments.ts CREATE_ARGUMENTS': 'a schema',
  'functions/core/documents/arguments.ts PUSH_ARGUMENTS': 'a schema',
  'functions/core/documents/arguments.ts QUERY_ARGUMENTS': 'a schema',
  'functions/core/documents/arguments.ts REFERENCE_ARGUMENTS': 'a schema',
  'functions/core/documents/content-arguments.ts EDIT_ARGUMENTS': 'a schema',
  'functions/core/documents/content-arguments.ts READ_ARGUMENTS': 'a schema',
  'functions/core/documents/content-arguments.ts WRITE_ARGUMENTS': 'a schema',
  'functions/core/documents/relation-arguments.ts LINK_ARGUMENTS': 'a schema',
  'functions/core/documents/search.ts SEARCH_ARGUMENTS': 'a schema',
  'functions/core/escapes.ts CLASSES': 'a class for each byte, which is only read',
  'functions/core/escapes.ts CONTROLS': 'a read-only map of characters',
  'functions/core/entities.ts ENTITIES': 'a read-only map of names of characters',
  'functions/core/json.ts NUMBER': 'told where to begin at every use',
  'functions/core/json.ts PLAIN_CHARACTERS': 'told where to begin at every use',
  'functions/core/json.ts WHITE_SPACE': 'told where to begin at every use',
  'functions/core/news.ts END_OF_NAME': 'bytes that are only looked for',
  'functions/core/news.ts ESCAPE': 'bytes that are only looked for',
  'functions/core/perimeter.ts GLOBAL_UNICAST': 'a range of addresses',
  'functions/core/perimeter.ts AWS_LOCAL_SERVICES': 'a range of addresses',
  'functions/core/permission.ts PERMISSIONS': 'a read-only set of names',
  'functions/core/role.ts BUILT_IN': 'a read-only map of names to read-only sets of names',
  'functions/core/role.ts BUILT_IN_ROLES': 'a read-only map of entries that are written there',
  'functions/core/role.ts WORKING': 'a list of names, which only other lists are made of',
  'functions/core/redact.ts MASK': 'bytes that are only copied',
  'functions/core/run-request.ts RUN_TOKEN_CLAIMS': 'a read-only set of names of claims',
  'functions/core/spelling.ts PARAMS': 'a read-only map of names of the protocol',
  'functions/handlers/pages/style.ts STYLE_SOURCE': 'a string',
  'functions/handlers/document-content-tools.ts CONTENT_TOOLS':
    'functions that register a tool on the server of one request',
  'functions/handlers/document-link-tool.ts LINK_TOOL': 'such a function',
  'functions/handlers/document-search-tool.ts SEARCH_TOOL': 'such a function',
  'functions/handlers/document-tools.ts DOCUMENT_TOOLS': 'such functions',
};

/**
 * All that lives as long as an execution environment, and whose it is. What holds anything of a caller is bounded and keyed by that
 * caller; `held-state.test.ts` shows it of each.
 */
const HELD: Readonly<Record<string, string>> = {
  'functions/aws/audit-log.ts createAuditLog chains':
    'hashes of records, per organisation: what the next record names, and nothing of what it says',
  'functions/aws/context-tables.ts createContextTables held':
    'sessions at the table, per organisation and namespace: IAM admits each to its own partition alone',
  'functions/aws/context-tables.ts createContextTables pending':
    'one beginning of such a session, while it is under way',
  'functions/aws/data-keys.ts createDataKeys kept':
    'unwrapped data keys, each of one connection, under what it was wrapped as and for whom',
  'functions/aws/key-ring.ts createAcceptedKeys held': "the deployment's public keys",
  'functions/aws/looks.ts createLooks held': 'the running policy and public keys',
  'functions/aws/looks.ts createLooks underWay': 'one look for them',
  'functions/aws/outages.ts createOutages current': 'what failed for a request, while it is under way',
  'functions/aws/revocations.ts createRevocationStore platform':
    'the second until which everything of everybody is revoked',
  'functions/aws/revocations.ts createRevocationStore remembered': 'per token',
  'functions/aws/sealer.ts createSealerSource held': "the deployment's sealing key",
  'functions/aws/secrets.ts createSecretStore held':
    'per secret, whose name has organisation, target and owner',
  'functions/aws/secrets.ts createSecretStore forcedAtSeconds': 'per secret',
  'functions/aws/secrets.ts createSecretStore failed': 'per secret',
  'functions/aws/secrets.ts createSecretStore underWay': 'per secret, while it is read',
  'functions/aws/upstream-pools.ts UpstreamPools pools': 'connections per caller and target',
  'functions/handlers/client-metadata-document.ts createClientDocuments held': 'public documents, per client',
  'functions/handlers/client-metadata-document.ts createClientDocuments looks':
    'one look per document, while it is under way',
  'functions/handlers/connections/renewal.ts createRenewal underWay':
    'one refresh per connection, while it is under way',
  'functions/handlers/connections/token-looks.ts createTokenLooks looks':
    'per connection and version, whether its provider refuses it',
  'functions/handlers/credentials/identity.ts createIdentity identities': 'per caller, token and target',
  'functions/handlers/credentials/oauth-tokens.ts createOAuthTokens entries':
    'per version of a secret, whose name has organisation, target and owner',
  'functions/handlers/credentials/service-account.ts createServiceAccount told':
    'weakly, secrets that the cache holds: nothing is kept by it, and nothing is in it',
  'functions/handlers/foreign-keys.ts createForeignKeys entries':
    'public keys per key set of a client or provider',
  'functions/handlers/issuer-rulebook.ts withPublishedKeys held': "the deployment's public keys",
  'functions/handlers/token-memory.ts TokenMemory remembered': 'per token',
};

describe('nothing of a request can stay at module scope of functions/', () => {
  test('but for what is constant by a reason that is written down', () => {
    const found = SOURCES.flatMap(findModuleState).filter(
      ({ id, at, what }) => !(id in CONSTANT) && !(isWiring(at.split(':')[0] ?? '') && WIRED.test(what)),
    );
    const told = found.map(({ at, id, what }) => `${at} ${id.split(' ')[1]} ${what}`);
    expect(told, 'move it into a factory, or write down above why it never changes').toEqual([]);
  });

  test('and no reason is written down for what is gone', () => {
    const found = new Set(SOURCES.flatMap(findModuleState).map(({ id }) => id));
    expect(Object.keys(CONSTANT).filter((id) => !found.has(id))).toEqual([]);
  });

  test('and what lives as long as an environment is known, one by one', () => {
    const found = findHeldState(SOURCES).map(({ id }) => id);
    expect(
      found,
      'bound it, key it by its caller, show that in `held-state.test.ts`, and name it above',
    ).toEqual(Object.keys(HELD).sort());
  });

  test('every function that is deployed was looked at', () => {
    expect(SOURCES.filter(({ path }) => isWiring(path)).map(({ path }) => path)).toEqual(
      expect.arrayContaining(
        ['authorizer', 'context-store', 'control', 'gateway', 'issuer'].map((name) => `functions/${name}.ts`),
      ),
    );
    expect(SOURCES.length).toBeGreaterThan(80);
  });
});

describe('what is looked for at module scope', () => {
  test.for([
    ['a variable', 'let last: string | undefined;'],
    ['an exported variable', "export let last = '';"],
    ['a map', 'const cache = new Map<string, string>();'],
    ['a map that is called read-only and is empty', 'const cache: ReadonlyMap<string, string> = new Map();'],
    ['a set that is not called read-only', "const seen = new Set(['a']);"],
    ['a weak map', 'const callers = new WeakMap<object, string>();'],
    ['an empty list', 'const seen: string[] = [];'],
    ['an empty object', 'const state: { last?: string } = {};'],
    ['an object with a collection in it', 'const state = { seen: new Map() };'],
    ['an asynchronous store', 'const store = new AsyncLocalStorage<string>();'],
    ['a closure over a variable', 'const next = (() => { let count = 0; return () => count++; })();'],
    ['what a function gives', 'const remember = memoize(verify);'],
    ['a regular expression that remembers', 'const WORD = /a/g; const f = (a: string) => WORD.test(a);'],
    ['a sticky one', 'const WORD = /a/y; const f = (text: string) => text.replace(WORD, "b");'],
    [
      'one that is exported',
      "export const WORD = /a/g; const f = (text: string) => text.replace(WORD, 'b');",
    ],
    ['one that is asked', "const WORD = /a/g; const f = (a: string) => a.replace(WORD, 'b') + WORD.test(a);"],
    ['a static member', 'class Session { static last = 1; }'],
    ['a private static member', 'export class Session { static #last: string | undefined; }'],
    ['a statement', 'register(globalThis);'],
    ['a write to a constant', 'const LIMITS = { a: 1 }; export function f(b: number) { LIMITS.a = b; }'],
    ['a write deep in a constant', "const A = { b: ['c'] }; const f = (d: string) => { A.b[0] = d; };"],
    ['a push to a list', "const NAMES = ['a']; export const f = (name: string) => NAMES.push(name);"],
    [
      'a write to what another module has',
      "import { STATE } from './state.ts'; const f = (a: string) => STATE.set('a', a);",
    ],
    [
      'a write by way of Object.assign',
      "const A = { b: 'c' }; function f(d: object) { Object.assign(A, d); }",
    ],
    ['a property of a function', 'export function f(a: string) { f.last = a; }'],
    ['a deletion', "const A = { b: 'c' } as Partial<Record<string, string>>; const f = () => delete A['b'];"],
    ['a write to the global object', "function f(token: string) { globalThis['last'] = token; }"],
    ['a write to the environment', "const f = (token: string) => { process.env['LAST'] = token; };"],
    ['a write under a destructuring', "const A = { b: 'c' }; const f = ([d]: string[]) => { [A.b] = [d]; };"],
  ] as const)('%s is found', ([, text]) => {
    expect(findModuleState(parseSource('functions/core/planted.ts', text))).not.toEqual([]);
  });

  test.for([
    [
      'constants',
      "const A = 1; const B = 'b'; const C = /c/i; const D = -1; const E = `e`; const F = A + 1;",
    ],
    [
      'objects of constants',
      "const A = { b: ['c', { d: 1 }] } as const; const G: Readonly<{ h: number }> = { h: 1 };",
    ],
    [
      'read-only collections',
      "const A: ReadonlySet<string> = new Set(['a']); export const B: ReadonlyMap<string, string> = new Map([['a', 'b']]);",
    ],
    ['functions', 'export function f() { let a = 1; a += 1; return a; } const g = () => new Map();'],
    [
      'classes',
      'export class A { #b = new Map(); static of() { return new A(); } c() { this.#b.set(1, 2); } }',
    ],
    ['types', "import type { A } from './a.ts'; export type B = A; declare const awslambda: { a: 1 };"],
    [
      'writes to what only has the same name',
      'const a = { b: 1 }; export function f(a: { b: number }) { a.b = 2; } const g = () => { const a = new Map(); a.set(1, 2); };',
    ],
  ] as const)('%s are not found', ([, text]) => {
    expect(findModuleState(parseSource('functions/core/planted.ts', text))).toEqual([]);
  });

  test.for([
    ['a map', 'const kept = new Map();', 'kept.get(a)'],
    ['a variable', 'let kept: string | undefined;', 'kept ??= a'],
    ['an object that is written to', "const kept = { last: '' };", 'kept.last = a'],
    ['a variable of a block', "let kept = '';", 'kept = a'],
  ] as const)('%s that a factory shares between calls is found', ([, declaration, use]) => {
    const factory = `export function createPart() { ${declaration} return { call: (a: string) => ${use} }; }`;
    const wiring =
      "import { createPart } from './handlers/part.ts'; const part = [1].map(() => createPart());";
    const sources = [
      parseSource('functions/handlers/part.ts', factory),
      parseSource('functions/wired.ts', wiring),
    ];
    expect(findHeldState(sources).map(({ id }) => id)).toEqual([
      'functions/handlers/part.ts createPart kept',
    ]);
    expect(findHeldState(sources.slice(0, 1))).toEqual([]);
  });

  test('a field of what is instantiated when a module loads is found, one of what a request instantiates is not', () => {
    const part = 'export class Part { readonly #kept = new Map(); last = 1; readonly name = 2; }';
    const wiring = "import { Part } from './part.ts'; const part = new Part();";
    const perRequest = "import { Part } from './part.ts'; export const f = () => new Part();";
    const of = (text: string) =>
      findHeldState([parseSource('functions/part.ts', part), parseSource('functions/wired.ts', text)]);
    expect(of(wiring).map(({ id }) => id)).toEqual([
      'functions/part.ts Part kept',
      'functions/part.ts Part last',
    ]);
    expect(of(perRequest)).toEqual([]);
  });
});
