import type { IdentityProvider } from '../identity-provider.ts';
import type { Snapshot } from '../policy.ts';
import type { Provider } from '../provider.ts';
import type { Change } from './change.ts';
import { compareEntries, type Part } from './entries.ts';

/** What changes about where users log in, and where they connect accounts. */
export function compareProviders(before: Snapshot, after: Snapshot): readonly Change[] {
  return [
    ...compareEntries(IDPS, before.idps ?? [], after.idps ?? []),
    ...compareEntries(PROVIDERS, before.providers ?? [], after.providers ?? []),
  ];
}

const IDPS: Part<IdentityProvider> = {
  part: 'idps',
  noun: 'identity provider',
  nameOf: ({ name }) => name,
  added: {
    effect: 'gain',
    words: ({ org, login, authUrl, tokenUrl, clientId, scopes }) =>
      login === false
        ? `is new: it vouches for users of ${org}, and nobody logs in there`
        : `is new: users of ${org} log in at ${authUrl}, as the client ${clientId} asks for ${namesOf(scopes, ' ')}; tokens come from ${tokenUrl}`,
  },
  removed: { effect: 'loss', words: ({ org }) => `is gone: nobody of ${org} comes by it any more` },
  told: ['name', 'displayName', 'org', 'login', 'authUrl', 'tokenUrl', 'clientId', 'scopes'],
  handled: ['name'],
  compare: () => [],
};

const PROVIDERS: Part<Provider> = {
  part: 'providers',
  noun: 'provider',
  nameOf: ({ name }) => name,
  added: {
    effect: 'gain',
    words: ({ org, authUrl, tokenUrl, clientId, scopes, scopeSeparator }) =>
      `is new: users of ${org ?? 'every organisation'} connect accounts at ${authUrl}, where the client ${clientId} asks for ${namesOf(scopes, scopeSeparator)}; tokens come from ${tokenUrl}`,
  },
  removed: {
    effect: 'loss',
    words: ({ org }) => `is gone: users of ${org ?? 'every organisation'} have no connection there any more`,
  },
  told: ['name', 'displayName', 'org', 'authUrl', 'tokenUrl', 'clientId', 'scopes', 'scopeSeparator'],
  handled: ['name'],
  compare: () => [],
};

/** As they are asked for, which a separator is a part of. */
function namesOf(scopes: readonly string[], separator: string): string {
  return scopes.length === 0 ? 'no scope' : `\`${scopes.join(separator)}\``;
}
