import { compileConfiguration } from '../../functions/core/configuration/compile.ts';
import type { Snapshot } from '../../functions/core/policy.ts';

/** What a `scopes.yml` gives to a policy, beside the organisations `acme` and `rival`. */
export function rulesOf(
  text: string,
): Pick<Snapshot, 'scopes' | 'uiScopes' | 'groups' | 'defaults' | 'scopeSettings' | 'limits'> {
  const files = [
    ['scopes.yml', text],
    ['servers.yml', ''],
    ['clients.yml', ''],
    ['orgs.yml', 'orgs: { acme: {}, rival: {} }'],
  ] as const;
  const compiled = compileConfiguration(new Map(files));
  if (!compiled.ok) throw new Error(`the test's own rules are refused: ${JSON.stringify(compiled.error)}`);
  const { scopes, uiScopes, groups, defaults, scopeSettings, limits } = compiled.value.snapshot;
  return {
    scopes,
    uiScopes,
    groups,
    ...(defaults === undefined ? {} : { defaults }),
    ...(scopeSettings === undefined ? {} : { scopeSettings }),
    ...(limits === undefined ? {} : { limits }),
  };
}
