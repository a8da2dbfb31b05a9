import type { Egress, EgressMode } from '../policy.ts';
import { readScopes } from './provider-parameters.ts';
import type { ProvidersFile } from './providers.ts';
import type { ConfigurationProblem, YamlReader } from './yaml-reader.ts';

const MODES = ['none', 'passthrough', 'identity', 'service_account', 'user_oauth', 'hybrid'] as const;
/** Modes that put on the token of a user's connection. */
const OF_CONNECTIONS: ReadonlySet<EgressMode> = new Set(['user_oauth', 'hybrid']);

/** Whose egress it is. */
export type EgressOf = {
  /** Its name, which is the provider's where none is written. */
  readonly name: string;
  readonly org: string | undefined;
  readonly providers: ProvidersFile;
};

/** Reads `egress`; a provider that it names must be one at which the users of the entry's organisation can connect. */
export function readEgress(
  egress: YamlReader | undefined,
  of: EgressOf,
  warnings: ConfigurationProblem[],
): Egress {
  const { mode, key, fallback, provider, scopes, ...rest } =
    egress?.members('mode', 'key', 'fallback', 'provider', 'scopes', 'headers') ?? {};
  const chosen = mode?.oneOf(...MODES) ?? 'none';
  if (egress !== undefined && mode === undefined)
    egress.problem(`write \`mode\`, one of: ${MODES.join(', ')}`);
  const common = {
    mode: chosen,
    key: key?.oneOf('client', 'user') ?? 'client',
    fallback: fallback?.oneOf('none', 'default') ?? 'none',
  };
  const isConnected = egress !== undefined && OF_CONNECTIONS.has(chosen);
  const unread = isConnected ? rest : { ...rest, provider, scopes };
  for (const [name, value] of Object.entries(unread)) {
    value?.warn(`nothing reads \`${name}\` in mode \`${chosen}\``, warnings);
  }
  if (!isConnected) return common;
  const needed = scopes === undefined ? undefined : readScopes(scopes);
  return {
    ...common,
    provider: readProviderName(provider ?? egress, provider?.string() ?? of.name, of),
    ...(needed === undefined ? {} : { scopes: needed }),
  };
}

function readProviderName(at: YamlReader, name: string, { org, providers }: EgressOf): string {
  const provider = providers.providers.find((known) => known.name === name);
  const off = providers.off.get(name);
  if (off !== undefined) at.problem(`nobody can connect at \`${name}\` of providers.yml: ${off}`);
  else if (provider === undefined) {
    at.problem(`providers.yml has no \`${name}\`: write it there, or \`provider: NAME\` here`);
  } else if (provider.org !== undefined && provider.org !== org) {
    at.problem(`\`${name}\` is for users of \`${provider.org}\` alone: write \`org: ${provider.org}\` here`);
  }
  return name;
}
