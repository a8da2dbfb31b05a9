import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, posix, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = ['functions', 'infra', 'local', 'cli', 'verifier'];
const SOURCE = /\.(?:ts|tsx|mts|mjs|js)$/;

type Import = {
  readonly from: string;
  /** A path from the root for a file of ours, else the package or built-in module. */
  readonly to: string;
  readonly isOurs: boolean;
  readonly isType: boolean;
};

/** `import … from`, `export … from`, `import '…'`, `import('…')` in code and in types, `require('…')`. */
const FORMS: readonly RegExp[] = [
  /^(?:import|export)\b(?<clause>[^'"`;]*?)\bfrom\s*['"](?<specifier>[^'"]+)['"]/gm,
  /^import\s*(?<clause>)['"](?<specifier>[^'"]+)['"]/gm,
  /(?<clause>typeof\s+)?\b(?:import|require(?:\.resolve)?)\s*\(\s*['"`](?<specifier>[^'"`]+)['"`]/g,
];

function importsOf(path: string): readonly Import[] {
  const from = relative(ROOT, path);
  const text = readFileSync(path, 'utf8');
  return FORMS.flatMap((form) =>
    Array.from(text.matchAll(form), ({ groups }) => {
      const { clause = '', specifier = '' } = groups ?? {};
      const isOurs = specifier.startsWith('.') || specifier.startsWith('/');
      const to = isOurs ? posix.normalize(posix.join(dirname(from), specifier)) : packageOf(specifier);
      return { from, to, isOurs, isType: /^\s*type\s/.test(clause) };
    }),
  );
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(ROOT, folder, name))
    .filter((path) => SOURCE.test(path) && !/node_modules|\/dist\//.test(path));
}

const IMPORTS = FOLDERS.flatMap((folder) => filesIn(folder).flatMap(importsOf));

/** The area of a file: a folder of `functions/`, `wiring` for its own files, or the folder at the root. */
function areaOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  if (first !== 'functions') return first;
  return second.endsWith('.ts') ? 'wiring' : second;
}

type Rule = {
  /** Areas that may be imported beside the own one. */
  readonly areas: readonly string[];
  readonly packages: readonly string[];
  /** Built-in modules; `node:*` is any of them. */
  readonly builtins: readonly string[];
  /** Areas and packages of which types alone may be imported. */
  readonly types?: readonly string[];
};

const RULES: Readonly<Record<string, Rule>> = {
  core: { areas: [], packages: ['js-yaml', 'ipaddr.js'], builtins: ['node:crypto', 'node:util'] },
  handlers: {
    areas: ['core'],
    packages: ['hono', '@modelcontextprotocol/server'],
    builtins: ['node:crypto', 'node:buffer'],
  },
  aws: {
    areas: ['core'],
    packages: ['@aws-sdk/*', 'jose', 'aws4fetch'],
    builtins: ['node:*'],
    types: ['aws-lambda'],
  },
  wiring: {
    areas: ['handlers', 'aws'],
    packages: ['@aws-sdk/*'],
    builtins: ['node:crypto', 'node:url'],
    types: ['core', 'aws-lambda'],
  },
  infra: {
    areas: [],
    packages: ['aws-cdk-lib', 'cdk-nag', 'constructs', 'esbuild'],
    builtins: ['node:*'],
    types: ['aws'],
  },
  local: {
    areas: [],
    packages: ['dynalite', 'zod', 'jose', '@modelcontextprotocol/server'],
    builtins: ['node:*'],
    types: ['core', 'handlers', 'aws', 'wiring', 'aws-lambda'],
  },
  verifier: { areas: ['core'], packages: [], builtins: [] },
  cli: {
    areas: ['core'],
    packages: ['zod', '@modelcontextprotocol/client'],
    builtins: ['node:*'],
  },
};

/**
 * The pure parsers and values of the core that the command line shares; everything else it asks over HTTP. It verifies the audit log itself:
 * whoever asked the gateway for that would have to trust it.
 */
const CORE_FOR_CLI = [
  'functions/core/result.ts',
  'functions/core/configuration/interpolate.ts',
  'functions/core/configuration/yaml-document.ts',
  'functions/core/configuration/yaml-node.ts',
  'functions/core/signed-token.ts',
  'functions/core/audit/checkpoint.ts',
  'functions/core/audit/verify.ts',
  'functions/core/audit/verify-checkpoints.ts',
  'functions/core/secret-key.ts',
  'functions/core/revocation-request.ts',
];

function isAllowed({ from, to, isOurs, isType }: Import): boolean {
  const rule = RULES[areaOf(from)];
  if (rule === undefined) return false;
  const name = isOurs ? areaOf(to) : to;
  const allowed = isOurs ? [areaOf(from), ...rule.areas] : [...rule.packages, ...rule.builtins];
  if (isType) allowed.push(...(rule.types ?? []));
  return allowed.some((one) => one === name || (one.endsWith('*') && name.startsWith(one.slice(0, -1))));
}

describe('who may import whom', () => {
  test.for(Object.keys(RULES))('%s', (area) => {
    const imports = IMPORTS.filter(({ from }) => areaOf(from) === area);
    expect(imports.length).toBeGreaterThan(0);
    const exceptions = imports.filter((one) => !isAllowed(one) && !isException(one));
    expect(exceptions.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  test('every file is under a rule', () => {
    const areas = new Set(FOLDERS.flatMap(filesIn).map((path) => areaOf(relative(ROOT, path))));
    expect([...areas].sort()).toEqual(Object.keys(RULES).sort());
  });

  test('infra knows of the functions the names of environment variables alone', () => {
    const crossing = IMPORTS.filter(
      ({ from, to, isOurs }) => isOurs && areaOf(from) === 'infra' && to.startsWith('functions/'),
    );
    expect(crossing.map(({ to, isType }) => [to, isType])).toEqual(
      crossing.map(() => ['functions/aws/environment.ts', true]),
    );
  });

  test('the command line shares pure values and parsers of the core, nothing that decides', () => {
    const shared = IMPORTS.filter(
      ({ from, to, isType }) => areaOf(from) === 'cli' && areaOf(to) === 'core' && !isType,
    );
    expect(
      shared.filter(({ to }) => !CORE_FOR_CLI.includes(to)).map(({ from, to }) => `${from} → ${to}`),
    ).toEqual([]);
  });

  test('no verb of the command line but `dev` reaches the local cloud', () => {
    const seen = new Set<string>(['cli/dev.ts']);
    const walk = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const { from, to, isOurs, isType } of IMPORTS) if (from === file && isOurs && !isType) walk(to);
    };
    walk('cli/main.ts');
    expect(seen.size).toBeGreaterThan(15);
    expect([...seen].filter((file) => areaOf(file) === 'local')).toEqual([]);
  });

  test('nothing of ours imports tests', () => {
    expect(IMPORTS.filter(({ to, isOurs }) => isOurs && to.startsWith('test/'))).toEqual([]);
  });
});

/** What the rules leave to single files. */
function isException({ from, to, isOurs }: Import): boolean {
  if (areaOf(from) === 'cli' && isOurs) return to.startsWith('local/');
  if (from === 'functions/handlers/problem.ts') return to === 'node:http';
  return from.startsWith('infra/') && to === 'cdk.json';
}

/** Core has no clock, no randomness, no environment and no network: they arrive as arguments. */
test('core reads no clock, environment or chance', () => {
  const ambient =
    /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bprocess\.|\bperformance\b|\brandom(?:Bytes|UUID|Int|FillSync)\b|\bfetch\(|\bset(?:Timeout|Interval|Immediate)\b|\bconsole\.|\bglobalThis\b/;
  const found = filesIn('functions/core').flatMap((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        ambient.test(line) && !/^\s*(?:\*|\/\/|\/\*)/.test(line)
          ? [`${relative(ROOT, path)}:${index + 1} ${line.trim()}`]
          : [],
      ),
  );
  expect(found).toEqual([]);
});

test('the authorizer is small: no AWS SDK client is anywhere behind it', () => {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const walk = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const { to, isOurs, isType } of IMPORTS.filter(({ from }) => from === file)) {
      if (isType) continue;
      if (isOurs) walk(to);
      else packages.add(to);
    }
  };
  walk('functions/authorizer.ts');
  expect(seen.size).toBeGreaterThan(10);
  expect([...packages].filter((name) => name.startsWith('@') || name === 'hono' || name === 'zod')).toEqual(
    [],
  );
});

test('the reading of imports misses none of their forms', () => {
  expect(IMPORTS.length).toBeGreaterThan(400);
  expect(IMPORTS.some(({ isType }) => isType)).toBe(true);
  expect(IMPORTS.some(({ isOurs }) => !isOurs)).toBe(true);
  const unknown = IMPORTS.filter(
    ({ to, isOurs }) => !isOurs && !to.startsWith('node:') && builtinModules.includes(to),
  );
  expect(unknown).toEqual([]);
  for (const folder of FOLDERS) {
    for (const path of filesIn(folder)) {
      const text = readFileSync(path, 'utf8');
      const statements = text.match(/^import\b|^export .*\bfrom '|\bimport\('/gm)?.length ?? 0;
      const read = importsOf(path).length;
      expect(read, relative(ROOT, path)).toBeGreaterThanOrEqual(statements);
    }
  }
});
