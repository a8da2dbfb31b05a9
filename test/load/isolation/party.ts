import { canary } from '../canary.ts';
import type { Random } from '../random.ts';
import { BASE_SCOPES, type Target } from './target.ts';

const AGENTS_PER_ORG = 4;
const APPS_PER_ORG = 2;
const USERS_PER_APP = 4;

/** A registered client; `server` where it is one that calls out. */
export type Client = {
  readonly index: number;
  readonly id: string;
  readonly org: number;
  readonly scopes: readonly string[];
  readonly server: string | undefined;
};

/** One token of a party. */
export type LiveToken = {
  readonly serial: number;
  readonly compact: string;
  readonly scopes: readonly string[];
  readonly expiresAtSeconds: number;
};

/** A legacy session as its client knows it, the number of the server's own, and the scopes there of the token that opened it. */
export type Session = {
  readonly sealed: string;
  readonly serial: number;
  readonly target: Target;
  readonly scopes: readonly string[];
};

/** One caller: an agent, or a user of an app. Apps have several users, and users of several apps of an organisation have the same subject. */
export type Party = {
  readonly index: number;
  readonly org: number;
  readonly orgId: string;
  readonly client: number;
  readonly clientId: string;
  readonly subject: string;
  /** The number in the subject's canary; undefined where the subject is one that others have too. */
  readonly subjectIndex: number | undefined;
  readonly obtainable: readonly string[];
  readonly tokens: LiveToken[];
  readonly sessions: Session[];
};

/** The callers of each organisation, the clients that are the server `fin`, and every client as it is registered. */
export function makeParties(random: Random, orgs: number) {
  const parties: Party[] = [];
  const finServers: Party[] = [];
  const clients: Client[] = [];
  const addClient = (org: number, server?: string): Client => {
    const index = clients.length;
    const scopes = [...BASE_SCOPES.filter(() => random.chance(0.5)), canary('scope', org)];
    const client = { index, id: canary('client', index), org, scopes, server };
    clients.push(client);
    return client;
  };
  const addParty = (client: Client, user: number | undefined, isServer = false) => {
    const { org } = client;
    const index = parties.length + finServers.length;
    const isShared = user !== undefined && user % 2 === 0;
    const ownSubject = user === undefined ? client.id : `idp-${org}:${canary('subject', index)}`;
    (isServer ? finServers : parties).push({
      index,
      org,
      orgId: canary('org', org),
      client: client.index,
      clientId: client.id,
      subject: isShared ? `idp-${org}:user-${user}@example.com` : ownSubject,
      subjectIndex: user === undefined || isShared ? undefined : index,
      obtainable: client.scopes,
      tokens: [],
      sessions: [],
    });
  };
  for (let org = 0; org < orgs; org += 1) {
    for (let agent = 0; agent < AGENTS_PER_ORG; agent += 1) addParty(addClient(org), undefined);
    for (let app = 0; app < APPS_PER_ORG; app += 1) {
      const client = addClient(org);
      for (let user = 0; user < USERS_PER_APP; user += 1) addParty(client, user);
    }
    addParty(addClient(org, 'fin'), undefined, true);
  }
  return { parties, finServers, clients };
}
