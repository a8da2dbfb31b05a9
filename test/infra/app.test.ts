import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const assembly = mkdtempSync(join(tmpdir(), 'sallyport-assembly-'));
const run = spawnSync(process.execPath, ['infra/app.ts'], {
  cwd: root,
  env: { ...process.env, CDK_OUTDIR: assembly },
  encoding: 'utf8',
});

afterAll(() => rmSync(assembly, { recursive: true }));

/** Directory of the bundle of each function, by the start of its logical id. */
function bundles(): Map<string, string> {
  const template: { Resources: Record<string, { Type: string; Metadata?: Record<string, string> }> } =
    JSON.parse(readFileSync(join(assembly, 'Sallyport.template.json'), 'utf8'));
  return new Map(
    Object.entries(template.Resources).flatMap(([id, { Type, Metadata }]) =>
      Type === 'AWS::Lambda::Function'
        ? [[id.slice(0, -8), join(assembly, Metadata?.['aws:asset:path'] ?? '?')]]
        : [],
    ),
  );
}

describe('node infra/app.ts', () => {
  test('synthesizes with the real bundles', () => {
    expect(run.stderr).not.toMatch(/error|warn/i);
    expect(run.status).toBe(0);
  });

  test('bundles each function into one minified module without a source map', () => {
    expect([...bundles().keys()].sort()).toEqual([
      'Authorizer',
      'ContextStore',
      'Control',
      'Gateway',
      'Issuer',
    ]);
    for (const [name, directory] of bundles()) {
      expect(readdirSync(directory).filter((file) => file !== 'config')).toEqual(['index.mjs']);
      const module = readFileSync(join(directory, 'index.mjs'), 'utf8');
      expect(module, name).toMatch(/export ?\{[^}]*\bas handler\b[^}]*\}/);
      expect(module, name).not.toContain('sourceMappingURL');
    }
    expect(new Set(bundles().values()).size).toBe(5);
  });

  test('puts the configuration beside control, and the secrets of the local mode nowhere', () => {
    for (const [name, directory] of bundles()) {
      expect(existsSync(join(directory, 'config')), name).toBe(name === 'Control');
    }
    const deployed = readdirSync(join(bundles().get('Control') ?? '', 'config'));
    expect(deployed).toContain('scopes.yml');
    expect(deployed.filter((file) => file.includes('secrets'))).toEqual([]);
  });
});
