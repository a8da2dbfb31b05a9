import { CONTEXT_STORE, type Snapshot } from '../policy.ts';
import { err, ok, type Result } from '../result.ts';
import { readClients } from './clients.ts';
import { readIdentityProviders } from './idps.ts';
import { interpolate } from './interpolate.ts';
import { warnOfStrangers } from './members.ts';
import { type OrgsFile, readOrgs } from './orgs.ts';
import { readProviders } from './providers.ts';
import { lintScopes } from './scope-lint.ts';
import { readScopes, type ScopesFile } from './scopes.ts';
import { readServers, readServices } from './servers.ts';
import { formatOf } from './snapshot-format.ts';
import { type ConfigurationProblem, YamlReader } from './yaml-reader.ts';

/** A compiled configuration, and what its author should look at although it is valid. */
export type CompiledConfiguration = {
  readonly snapshot: Snapshot;
  readonly warnings: readonly ConfigurationProblem[];
};

const REQUIRED = ['scopes.yml', 'servers.yml', 'clients.yml'] as const;
const OPTIONAL = ['services.yml', 'orgs.yml', 'providers.yml', 'idps.yml'] as const;

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
    const interpolated = interpolate(files.get(name) ?? '', {});
    if (!interpolated.ok) {
      problems.push({ file: name, ...interpolated.error });
      return YamlReader.open(name, '', problems);
    }
    const { text, missing } = interpolated.value;
    for (const variable of WITH_VARIABLES.has(name) ? [] : missing) {
      const message = `the variable \`${variable.name}\` has no value; set it, or write \`\${${variable.name}:-default}\``;
      problems.push({ file: name, line: variable.line, message });
    }
    return YamlReader.open(name, text, problems);
  };

  const { orgs, mentions, ...tenancy } = readOrgs(open('orgs.yml'), warnings);
  const { teams } = tenancy;
  const { hasScope, ...written } = readScopes(open('scopes.yml'), orgs, warnings);
  const providers = readProviders(open('providers.yml'), orgs);
  const tenants = { orgs, teams, providers };
  const { servers, limits, perimeter } = readServers(open('servers.yml'), { ...tenants, hasScope }, warnings);
  const access = { ...written, limits: [...written.limits, ...limits] };
  const { scopes, uiScopes, groups } = access;
  const services = readServices(open('services.yml'), { servers, perimeter, ...tenants }, warnings);
  const { clients, registration } = readClients(open('clients.yml'), { ...access, servers, orgs }, warnings);
  const idps = readIdentityProviders(open('idps.yml'), { orgs, clients }, warnings);
  warnOfStrangers(mentions, { clients, idps }, warnings);
  warnings.push(...warnOfAbsentServers(access, { servers, services }));
  if (problems.length > 0) return err(firstOf(problems));
  warnings.push(...lintScopes(access, clients));
  return ok({
    snapshot: {
      format: formatOf({ ...access, ...tenancy, services, clients, idps, perimeter }),
      scopes,
      uiScopes,
      groups,
      servers,
      services,
      clients,
      registration,
      orgs,
      idps,
      ...(providers.providers.length === 0 ? {} : { providers: providers.providers }),
      ...(perimeter === undefined ? {} : { perimeter }),
      ...optionalParts({ ...access, ...tenancy }),
    },
    warnings: firstOf(warnings),
  });
}

/** What one look can take in; an answer of a function has at most 6 MB. */
const MAX_PROBLEMS = 1_000;
const MAX_MESSAGE_CHARACTERS = 1_000;

/** The first of many problems, and how many more there are; a message that repeats a very long name is cut. */
function firstOf(problems: readonly ConfigurationProblem[]): readonly ConfigurationProblem[] {
  const first = problems.slice(0, MAX_PROBLEMS).map((one) => ({
    ...one,
    message: one.message.slice(0, MAX_MESSAGE_CHARACTERS).toWellFormed(),
  }));
  const next = problems[MAX_PROBLEMS];
  const more = problems.length - MAX_PROBLEMS;
  return next === undefined ? first : [...first, { ...next, message: `and ${more} more from here on` }];
}

type Tenancy = Pick<OrgsFile, 'teams' | 'roles' | 'roleBindings'>;

/** What is not written is not stored: a configuration that says the same as ever compiles to the same bytes. */
function optionalParts({
  defaults,
  scopeSettings,
  limits,
  teams,
  roles,
  roleBindings,
}: ScopesFile & Tenancy): Pick<Snapshot, 'defaults' | 'scopeSettings' | 'limits' | keyof Tenancy> {
  return {
    ...(defaults.length === 0 ? {} : { defaults }),
    ...(scopeSettings.length === 0 ? {} : { scopeSettings }),
    ...(limits.length === 0 ? {} : { limits }),
    ...(teams.length === 0 ? {} : { teams }),
    ...(roles.length === 0 ? {} : { roles }),
    ...(roleBindings.length === 0 ? {} : { roleBindings }),
  };
}

/** A rule for a server that is not registered grants nothing: perhaps it is registered elsewhere, perhaps misspelt. */
function warnOfAbsentServers(
  { scopes, defaults, limits }: ScopesFile,
  { servers, services }: Pick<Snapshot, 'servers' | 'services'>,
): readonly ConfigurationProblem[] {
  const known = new Set(['*', CONTEXT_STORE, ...servers.map(({ name }) => name)]);
  const counted = new Set([...known, ...services.map(({ name }) => name)]);
  const warn = (at: string, server: string, consequence: string): ConfigurationProblem => {
    const [file = '', line = '1'] = at.split(':');
    return {
      file,
      line: Number(line),
      message: `servers.yml has no server \`${server}\`; this ${consequence}`,
    };
  };
  return [
    ...[...scopes.flatMap(([, rules]) => rules), ...defaults]
      .filter(({ server }) => !known.has(server))
      .map(({ at, server, deny }) =>
        warn(at, server, deny === undefined ? 'rule grants nothing' : 'deny forbids nothing'),
      ),
    ...limits
      .filter(({ server = '*' }) => !counted.has(server))
      .map(({ at, server = '' }) => warn(at, server, 'limit counts nothing')),
  ];
}
