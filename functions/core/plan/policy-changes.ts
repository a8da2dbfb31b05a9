import type { ClientEntry, ServerEntry, ServiceEntry, Snapshot } from '../policy.ts';
import { type Change, changesOf, compareNames, shown } from './change.ts';
import { compareEntries, type Part } from './entries.ts';
import { compareLimits } from './limits.ts';
import { compareProviders } from './providers.ts';
import { compareRest } from './rest.ts';
import { compareRules } from './rules.ts';
import { compareTenancy } from './tenancy.ts';

/** What stands where nothing was applied yet. */
const EMPTY: Snapshot = {
  format: 1,
  scopes: [],
  uiScopes: [],
  groups: [],
  servers: [],
  services: [],
  clients: [],
  orgs: [],
};

/**
 * What a configuration changes for whom, against the one that runs; nothing where both say the same. Pure, and whole: what has no words of
 * its own here is shown as it is.
 */
export function comparePolicies(before: Snapshot = EMPTY, after: Snapshot): readonly Change[] {
  return [
    ...compareOrgs(before, after),
    ...compareEntries(CLIENTS, before.clients, after.clients),
    ...compareRules(before, after),
    ...compareNamed('groups', before.groups, after.groups, 'the group', (scope) => `give the scope ${scope}`),
    ...compareNamed('uiScopes', flat(before), flat(after), 'the UI scope', (right) => `permit ${right}`),
    ...compareEntries(SERVERS, before.servers, after.servers),
    ...compareEntries(SERVICES, before.services, after.services),
    ...compareProviders(before, after),
    ...compareTenancy(before, after),
    ...compareLimits(before, after),
    ...compareRest(before, after),
  ];
}

const CLIENTS: Part<ClientEntry> = {
  part: 'clients',
  noun: 'client',
  nameOf: ({ id }) => id,
  added: {
    effect: 'gain',
    words: ({ org, scopes, disabled }) =>
      `of ${org} is new${disabled ? ', disabled' : ''}, and may have the scopes ${shown(scopes)}`,
  },
  removed: { effect: 'loss', words: ({ org }) => `of ${org} is gone: its tokens are refused` },
  told: ['id', 'org', 'scopes', 'disabled'],
  handled: ['disabled', 'scopes'],
  compare: (before, after) => {
    const scopes = compareNames(before.scopes, after.scopes);
    const change = (effect: Change['effect'], words: string): Change => ({
      effect,
      part: 'clients',
      name: after.id,
      text: `the client ${after.id} ${words}`,
    });
    return [
      ...(before.disabled === after.disabled
        ? []
        : [
            after.disabled
              ? change('loss', 'is disabled: its tokens are refused')
              : change('gain', 'is no longer disabled'),
          ]),
      ...scopes.gained.map((scope) => change('gain', `may now have the scope ${scope}`)),
      ...scopes.lost.map((scope) =>
        change('loss', `loses the scope ${scope}, in the tokens that are out too`),
      ),
    ];
  },
};

/** Where it is, and who is meant to see it, are worth a sentence; all else is shown as it is. */
const SERVERS: Part<ServerEntry> = {
  part: 'servers',
  noun: 'server',
  nameOf: ({ name }) => name,
  added: { effect: 'gain', words: ({ url }) => `is new, at ${url}` },
  removed: { effect: 'loss', words: () => 'is gone: nobody can call it' },
  told: ['name', 'url'],
  handled: ['url', 'visibility'],
  compare: (before, after) => placed('servers', 'server', before, after),
};

const SERVICES: Part<ServiceEntry> = {
  part: 'services',
  noun: 'service',
  nameOf: ({ name }) => name,
  added: { effect: 'gain', words: ({ url, usedBy }) => `is new, at ${url}, for ${shown(usedBy)}` },
  removed: { effect: 'loss', words: () => 'is gone: no server can call it' },
  told: ['name', 'url', 'usedBy'],
  handled: ['url', 'usedBy', 'visibility'],
  compare: (before, after) => {
    const used = compareNames(before.usedBy, after.usedBy);
    const change = (effect: Change['effect'], words: string): Change => ({
      effect,
      part: 'services',
      name: after.name,
      text: `the server ${words} the service ${after.name}`,
    });
    return [
      ...placed('services', 'service', before, after),
      ...used.gained.map((server) => change('gain', `${server} may now call`)),
      ...used.lost.map((server) => change('loss', `${server} may no longer call`)),
    ];
  },
};

type Placed = Pick<ServerEntry, 'name' | 'url' | 'egress'> & { readonly visibility?: string };

/** Where it is, and who may see it. */
function placed(part: string, noun: string, before: Placed, after: Placed): readonly Change[] {
  const { name, url } = after;
  const change = (effect: Change['effect'], words: string): Change => ({
    effect,
    part,
    name,
    text: `the ${noun} ${name} ${words}`,
  });
  const hasSecrets = [before, after].every(({ egress }) => egress.mode === 'service_account');
  const along = hasSecrets ? ', and secrets that were stored for it without a `url` go there too' : '';
  // Of teams and single subjects nobody can tell whether one has more people in it.
  const [was, is] = [before, after].map(({ visibility = 'org' }) => visibility);
  const isWide = (visibility: unknown) => visibility === 'public' || visibility === 'org';
  const effect = isWide(was) === isWide(is) ? 'change' : isWide(is) ? 'gain' : 'loss';
  return [
    ...(before.url === url ? [] : [change('change', `moves from ${before.url} to ${url}${along}`)]),
    ...changesOf('visibility', was, is).map((words) => change(effect, words)),
  ];
}

function compareOrgs({ orgs: before }: Snapshot, { orgs: after }: Snapshot): readonly Change[] {
  const [old, young] = [before[0]?.id, after[0]?.id];
  const platform: readonly Change[] =
    old === young || before.length === 0
      ? []
      : [
          {
            effect: 'change',
            part: 'orgs',
            name: young ?? '',
            text: `the platform’s own organisation is ${young ?? 'none'} and no longer ${old}: it administers what all share`,
          },
        ];
  const entries = compareEntries(
    {
      part: 'orgs',
      noun: 'organisation',
      nameOf: ({ id }) => id,
      added: {
        effect: 'gain',
        words: ({ suspended }) => (suspended ? 'is new, and suspended' : 'is new'),
      },
      removed: { effect: 'loss', words: () => 'is gone: everything of it is refused' },
      told: ['id', 'suspended'],
      handled: ['suspended'],
      compare: (was, is) =>
        was.suspended === is.suspended
          ? []
          : [
              {
                effect: is.suspended ? 'loss' : 'gain',
                part: 'orgs',
                name: is.id,
                text: `the organisation ${is.id} is ${is.suspended ? 'suspended: everything of it is refused' : 'no longer suspended'}`,
              },
            ],
    },
    before,
    after,
  );
  return [...platform, ...entries];
}

/** A UI scope and everything that it permits. */
function flat({ uiScopes }: Snapshot): Snapshot['groups'] {
  return uiScopes.map(([scope, actions]) => [
    scope,
    actions.flatMap(([action, targets]) => targets.map((target) => `${action} on ${target}`)),
  ]);
}

function compareNamed(
  part: string,
  before: Snapshot['groups'],
  after: Snapshot['groups'],
  noun: string,
  words: (one: string) => string,
): readonly Change[] {
  const [old, young] = [new Map(before), new Map(after)];
  return [...new Set([...old.keys(), ...young.keys()])].flatMap((name) => {
    const { gained, lost } = compareNames(old.get(name) ?? [], young.get(name) ?? []);
    const change = (effect: Change['effect'], text: string): Change => ({ effect, part, name, text });
    return [
      ...gained.map((one) => change('gain', `${noun} ${name} will now ${words(one)}`)),
      ...lost.map((one) => change('loss', `${noun} ${name} will no longer ${words(one)}`)),
    ];
  });
}
