import { CONTEXT_STORE, type Snapshot } from '../policy.ts';
import { err, ok, type Result } from '../result.ts';
import { readClients } from './clients.ts';
import { readIdentityProviders } from './idps.ts';
import { interpolate } from './interpolate.ts';
import { readOrgs } from './orgs.ts';
import { readScopes } from './scopes.ts';
import { readServers, readServices } from './servers.ts';
import { type ConfigurationProblem, YamlReader } from './yaml-reader.ts';

/** A compiled configuration, and what its author should look at although it is valid. */
export type CompiledConfiguration = {
  readonly snapshot: Snapshot;
  readonly warnings: readonly ConfigurationProblem[];
};

const REQUIRED = ['scopes.yml', 'servers.yml', 'clients.yml'] as const;
const OPTIONAL = ['services.yml', 'orgs.yml', 'providers.yml', 'idps.yml'] as const;

/** Files of later capabilities: they may lie in the directory, and nothing is decided by them. */
const UNUSED = ['providers.yml'] as const;

/** Here a variable without a value switches an entry off, and a secret's is the name of the secret. */
const WITH_VARIABLES: ReadonlySet<string> = new Set(['idps.yml']);

/**
 * Compiles the files of a configuration directory (contract §9), by file name. Variables are resolved already; one that is
 * left is a problem, except in `idps.yml`. Every problem of every file is found in one pass; with one, nothing is compiled. Names that a
 * file takes from another (scopes, servers, organisations) must exist.
 */
export function compileConfiguration(
  files: ReadonlyMap<string, string>,
): Result<CompiledConfiguration, readonly ConfigurationProblem[]> {
  const problems: ConfigurationProblem[] = [];
  const warnings: ConfigurationProblem[] = [];
  for (const name of REQUIRED) {
    if (!files.has(name)) problems.push({ file: name, line: 1, message: 'this file is missing' });
  }
  for (const name of files.keys()) {
    if (![...REQUIRED, ...OPTIONAL].some((known) => known === name)) {
      problems.push({
        file: name,
        line: 1,
        message: `unknown file; known: ${[...REQUIRED, ...OPTIONAL].join(', ')}`,
      });
    }
  }
  const open = (name: string): YamlReader => {
    const { text, missing } = interpolate(files.get(name) ?? '', {});
    for (const variable of WITH_VARIABLES.has(name) ? [] : missing) {
      const message = `the variable \`${variable.name}\` has no value; set it, or write \`\${${variable.name}:-default}\``;
      problems.push({ file: name, line: variable.line, message });
    }
    return YamlReader.open(name, text, problems);
  };

  const { scopes, uiScopes, groups } = readScopes(open('scopes.yml'), warnings);
  const orgs = readOrgs(open('orgs.yml'), warnings);
  const servers = readServers(open('servers.yml'), orgs, warnings);
  const services = readServices(open('services.yml'), { servers, orgs }, warnings);
  const { clients, registration } = readClients(
    open('clients.yml'),
    { scopes, uiScopes, groups, servers, orgs },
    warnings,
  );
  const idps = readIdentityProviders(open('idps.yml'), { orgs, clients }, warnings);
  warnings.push(...warnOfAbsentServers(scopes, servers));
  for (const name of UNUSED) {
    if (files.has(name)) warnings.push({ file: name, line: 1, message: 'nothing reads this file yet' });
  }
  if (problems.length > 0) return err(problems);
  return ok({
    snapshot: { format: 1, scopes, uiScopes, groups, servers, services, clients, registration, orgs, idps },
    warnings,
  });
}

/** A rule for a server that is not registered grants nothing: perhaps it is registered elsewhere, perhaps misspelt. */
function warnOfAbsentServers(
  scopes: Snapshot['scopes'],
  servers: Snapshot['servers'],
): readonly ConfigurationProblem[] {
  const known = new Set(['*', CONTEXT_STORE, ...servers.map(({ name }) => name)]);
  return scopes
    .flatMap(([, rules]) => rules)
    .filter(({ server }) => !known.has(server))
    .map(({ server, at }) => {
      const [file = '', line = '1'] = at.split(':');
      return {
        file,
        line: Number(line),
        message: `servers.yml has no server \`${server}\`; this rule grants nothing`,
      };
    });
}
