import type { Snapshot } from '../policy.ts';

/**
 * The format of a snapshot of these parts. Functions that know only 1 read past what it did not have, and would allow what a deny, a
 * constraint, a window, a list of prompts or resources, a limit or a cap forbids, more tokens than a client may make, what takes a role, who may not see a service, and
 * assertions that are not taken; so a
 * snapshot with any of them is 2, which they refuse. Those that know 2 call wherever an address is allowed; one with a perimeter is 3.
 */
export function formatOf({
  scopes,
  defaults = [],
  scopeSettings = [],
  limits = [],
  roleBindings = [],
  services = [],
  clients = [],
  idps = [],
  perimeter,
}: Pick<Snapshot, 'scopes' | 'defaults' | 'scopeSettings' | 'limits' | 'roleBindings'> &
  Partial<Pick<Snapshot, 'services' | 'clients' | 'idps' | 'perimeter'>>): Snapshot['format'] {
  if (perimeter !== undefined) return 3;
  const isNarrowed = scopes
    .flatMap(([, rules]) => rules)
    .some(
      ({ deny, prompts, resources, arguments: constraints, when }) =>
        deny !== undefined ||
        prompts !== undefined ||
        resources !== undefined ||
        constraints !== undefined ||
        when !== undefined,
    );
  const isCapped = scopeSettings.some(([, { tokenTtlMaxSeconds }]) => tokenTtlMaxSeconds !== undefined);
  const isHidden = services.some(({ visibility = 'org' }) => visibility !== 'org' && visibility !== 'public');
  const isFrugal = clients.some(({ vendedPerHour }) => vendedPerHour !== undefined);
  const isUnasserted = idps.some(({ acceptAssertions }) => acceptAssertions === false);
  if (isHidden || isFrugal || isUnasserted || roleBindings.length > 0) return 2;
  return isNarrowed || isCapped || defaults.length > 0 || limits.length > 0 ? 2 : 1;
}
