import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { interpolate } from '../functions/core/configuration/interpolate.ts';
import { err, ok, type Result } from '../functions/core/result.ts';
import { type Failure, failed, reasonOf } from './outcome.ts';
import { findSecretVariables } from './secret-variables.ts';

/** The files of a configuration, name → text, variables resolved. */
export type ConfigurationFiles = Readonly<Record<string, string>>;

type Variables = Readonly<Record<string, string | undefined>>;

/** Contract §9. */
const FILES: ReadonlySet<string> = new Set([
  'scopes.yml',
  'servers.yml',
  'services.yml',
  'providers.yml',
  'idps.yml',
  'clients.yml',
  'orgs.yml',
]);

/** Here a variable without a value belongs to the deployment, which resolves it or leaves the entry switched off. */
const MAY_REFER_TO_DEPLOYMENT: ReadonlySet<string> = new Set(['providers.yml', 'idps.yml']);

const Problem = z.object({ file: z.string(), line: z.number().optional(), message: z.string() });
const Errors = z.object({ errors: z.array(Problem).min(1) });
const Warnings = z.object({ warnings: z.array(Problem) });

/**
 * Reads the configuration in a directory and resolves `${VAR}` from the environment. `secrets.local*` files are never
 * read here. A YAML file that is none of the known ones is refused: what it says would silently not hold.
 */
export async function readConfiguration(
  directory: string,
  env: Variables,
): Promise<Result<ConfigurationFiles, Failure>> {
  const files: Record<string, string> = {};
  const problems: string[] = [];
  try {
    const names = (await readdir(directory)).filter((name) => /\.ya?ml$/.test(name)).sort();
    for (const name of names.filter((candidate) => !candidate.startsWith('secrets.local'))) {
      const path = join(directory, name);
      if (!FILES.has(name)) {
        problems.push(`${path}:1: not a configuration file; they are ${[...FILES].join(', ')}`);
        continue;
      }
      const source = await readFile(path, 'utf8');
      const interpolated = interpolate(source, withoutSecrets(name, source, env));
      if (!interpolated.ok) {
        problems.push(`${path}:${interpolated.error.line}: ${interpolated.error.message}`);
        continue;
      }
      const { text, missing } = interpolated.value;
      files[name] = text;
      if (MAY_REFER_TO_DEPLOYMENT.has(name)) continue;
      for (const { name: variable, line } of missing) {
        problems.push(`${path}:${line}: \`${variable}\` is not set; set it, or write a default after :-`);
      }
    }
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (isAbsent && problems.length === 0 && Object.keys(files).length === 0) {
      return err(failed(`there is no directory \`${directory}\``));
    }
    return err(failed(`cannot read the configuration: ${reasonOf(error)}`));
  }
  if (problems.length === 0 && Object.keys(files).length === 0) {
    return err(failed(`${directory} has no configuration files`));
  }
  return problems.length === 0 ? ok(files) : err(invalidConfiguration(directory, problems));
}

/** The refusal in an answer that lists configuration errors; undefined where it lists none. */
export function configurationRefusal(directory: string, answer: unknown): Failure | undefined {
  const parsed = Errors.safeParse(answer);
  if (!parsed.success) return undefined;
  const { errors } = parsed.data;
  const lines = errors.map((problem) => toLine(directory, problem));
  return { ...invalidConfiguration(directory, lines), json: { errors } };
}

/** What the gateway says of a configuration that it has taken, one line each. */
export function configurationWarnings(directory: string, answer: unknown): readonly string[] {
  const parsed = Warnings.safeParse(answer);
  return parsed.success
    ? parsed.data.warnings.map((warning) => `warning: ${toLine(directory, warning)}`)
    : [];
}

function toLine(directory: string, { file, line, message }: z.infer<typeof Problem>): string {
  return `${join(directory, file)}:${line ?? 1}: ${message}`;
}

function invalidConfiguration(directory: string, problems: readonly string[]): Failure {
  return failed(`the configuration in ${directory} is not valid; nothing was changed`, {
    details: problems,
    json: { problems },
  });
}

/** Secrets must stay references: one never enters a snapshot. */
function withoutSecrets(file: string, source: string, env: Variables): Variables {
  if (!MAY_REFER_TO_DEPLOYMENT.has(file)) return env;
  const names = findSecretVariables(source);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !names.has(name)));
}
