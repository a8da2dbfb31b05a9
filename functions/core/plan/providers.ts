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

// Where they are, and what they call themselves, decides whom a user trusts: it is shown member by member, as it is written.

const IDPS: Part<IdentityProvider> = {
  part: 'idps',
  noun: 'identity provider',
  nameOf: ({ name }) => name,
  added: {
    effect: 'gain',
    words: ({ org, login, acceptAssertions }) => {
      const what =
        login === false ? `vouches for users of ${org}, and nobody logs in there` : `logs users of ${org} in`;
      return `is new: it ${what}${acceptAssertions === false ? '; its assertions are not taken' : ''}`;
    },
  },
  removed: { effect: 'loss', words: ({ org }) => `is gone: nobody of ${org} comes by it any more` },
  told: ['name', 'org', 'login', 'acceptAssertions'],
  handled: ['name'],
  compare: () => [],
};

const PROVIDERS: Part<Provider> = {
  part: 'providers',
  noun: 'provider',
  nameOf: ({ name }) => name,
  added: {
    effect: 'gain',
    words: ({ org, pkce }) =>
      `is new: users of ${ofWhom(org)} connect accounts there${pkce ? '' : ', without PKCE'}`,
  },
  removed: {
    effect: 'loss',
    words: ({ org }) => `is gone: users of ${ofWhom(org)} have no connection there any more`,
  },
  told: ['name', 'org', 'pkce'],
  handled: ['name'],
  compare: () => [],
};

function ofWhom(org: string | undefined): string {
  return org ?? 'every organisation';
}
