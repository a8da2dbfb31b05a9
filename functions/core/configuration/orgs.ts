import type { Snapshot } from '../policy.ts';
import type { ConfigurationProblem, YamlReader } from './yaml-reader.ts';

/** The grammar of organisations and namespaces (contract §2). */
export const IDENTIFIER = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/;

/** Keys of teams and roles, in an organisation or beside them all: valid to write, and nothing is decided by them. */
const UNUSED = ['teams', 'roles', 'role_bindings'] as const;

/** Reads `orgs.yml`. */
export function readOrgs(file: YamlReader, warnings: ConfigurationProblem[]): Snapshot['orgs'] {
  const { orgs, ...beside } = file.members('orgs', ...UNUSED);
  warnOfUnused(beside, warnings);
  return (orgs?.entries() ?? []).flatMap(([id, value]) => {
    if (!IDENTIFIER.test(id)) {
      value.problem('an organisation is named by letters, digits and ._:@-');
      return [];
    }
    const { suspended, ...rest } = value.members('suspended', 'display_name', ...UNUSED);
    warnOfUnused(rest, warnings);
    return [{ id, suspended: suspended?.boolean() ?? false }];
  });
}

function warnOfUnused(
  members: Partial<Record<(typeof UNUSED)[number], YamlReader>>,
  warnings: ConfigurationProblem[],
): void {
  for (const name of UNUSED) {
    const unused = members[name];
    if (unused !== undefined && !unused.isEmpty) {
      unused.warn(`nothing is decided by \`${name}\` yet`, warnings);
    }
  }
}

/** Reads a reference to an organisation, which must exist where `orgs.yml` lists any. */
export function readOrganisation(org: YamlReader, orgs: Snapshot['orgs']): string | undefined {
  const id = org.string();
  if (id === undefined) return undefined;
  if (!IDENTIFIER.test(id)) return org.problem('an organisation is named by letters, digits and ._:@-');
  if (orgs.length === 0 || orgs.some((known) => known.id === id)) return id;
  return org.problem(`there is no organisation \`${id}\` in orgs.yml`);
}
