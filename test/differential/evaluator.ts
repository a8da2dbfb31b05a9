import { isDeniedUnder, isUnder } from './addresses.ts';
import { isOpen } from './moment.ts';
import { documentsOf, type Files, type Party, whoIs } from './party.ts';
import { mapping, type Plain, parsePlain, texts } from './plain.ts';
import { meets, type Place } from './schema.ts';
import type { Ask, Claims, Verdict } from './world.ts';

/** One thing that is to be allowed. */
export type Wish = {
  readonly server: string;
  readonly method: string;
  readonly isRequest: boolean;
  /** Of what is called, got or read; empty where the method names nothing. */
  readonly name: string;
  readonly arguments: unknown;
};

const KINDS = new Map([
  ['tools/call', 'tool'],
  ['prompts/get', 'prompt'],
  ['resources/read', 'resource'],
  ['resources/subscribe', 'resource'],
  ['resources/unsubscribe', 'resource'],
]);
const WILDCARDS = ['all', '*'];

/** Keys of `scopes.yml` that are no scopes. */
const SECTIONS = ['UI-Scopes', 'group_mappings', 'Defaults', 'Scope-Settings', 'Limits', 'Scope-Documents'];

/** Every request of the revisions of the protocol. */
const METHODS = new Set([
  'initialize',
  'server/discover',
  'ping',
  'tools/list',
  'tools/call',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'completion/complete',
  'subscriptions/listen',
  'logging/setLevel',
  'tasks/get',
  'tasks/list',
  'tasks/result',
  'tasks/cancel',
  'tasks/update',
]);

/** What clients of all revisions notify servers of. */
const NOTIFICATIONS = new Set([
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
  'notifications/tasks/status',
]);

type Rules = {
  readonly denies: readonly Plain[];
  readonly grants: readonly Plain[];
  /** No deny is about the server, at whatever time. */
  readonly isNothingDenied: boolean;
};

/** Says from the files and nothing else what is allowed: slow, obvious, and written from the documentation. */
export class Evaluator {
  readonly #files: Files;
  readonly #wishes = new Map<Ask, readonly Wish[] | undefined>();
  readonly #known = new WeakMap<Party, Map<string, Rules>>();

  constructor(files: ReadonlyMap<string, string>) {
    const read = (name: string) => mapping(parsePlain(files.get(name) ?? '')) ?? {};
    this.#files = {
      scopes: read('scopes.yml'),
      servers: mapping(read('servers.yml')['servers']) ?? {},
      clients: mapping(read('clients.yml')['clients']) ?? {},
      orgs: mapping(read('orgs.yml')['orgs']) ?? {},
      idps: mapping(read('idps.yml')['providers']) ?? {},
    };
  }

  /** Who calls, undefined where the token is refused. */
  party(claims: Claims, nowSeconds: number): Party | undefined {
    return whoIs(this.#files, claims, nowSeconds);
  }

  /** May all that a message needs be done? */
  decide(party: Party, ask: Ask, nowSeconds: number): Verdict {
    const wishes = this.#wishes.has(ask) ? this.#wishes.get(ask) : wishesOf(ask);
    this.#wishes.set(ask, wishes);
    const isAllowed = wishes?.every((wish) => this.allows(party, wish, nowSeconds)) ?? false;
    return isAllowed ? 'allow' : 'deny';
  }

  /** May one thing be done? */
  allows(party: Party, wish: Wish, nowSeconds: number): boolean {
    if (!this.#isThere(party, wish.server)) return false;
    const { denies, grants, isNothingDenied } = this.#rulesAt(party, wish.server, nowSeconds);
    if (denies.some((rule) => forbids(rule, wish, party))) return false;
    return grants.some((rule) => permits(rule, wish, party, isNothingDenied));
  }

  /** The rules that hold for somebody on a server at a moment. Looked for once: ten million questions are asked about them. */
  #rulesAt(party: Party, server: string, nowSeconds: number): Rules {
    const key = `${nowSeconds} ${server}`;
    const known = this.#known.get(party) ?? new Map<string, Rules>();
    this.#known.set(party, known);
    const again = known.get(key);
    if (again !== undefined) return again;
    const holds = (rule: Plain) => isOpen(mapping(rule['when']), nowSeconds);
    const denies = this.#rules(party, party.entitled).filter(
      (rule) => rule['deny'] === true && isAbout(rule, server),
    );
    const grants = this.#rules(party, party.scopes).filter(
      (rule) => rule['deny'] !== true && isAbout(rule, server),
    );
    const rules = {
      denies: denies.filter(holds),
      grants: grants.filter(holds),
      isNothingDenied: denies.length === 0,
    };
    known.set(key, rules);
    return rules;
  }

  #rules({ org }: Party, scopes: readonly string[]): Plain[] {
    const files = this.#files;
    const documents = documentsOf(files).filter((one) => scopes.includes(String(one['scope_name'])));
    const named = scopes
      .filter((scope) => !SECTIONS.includes(scope))
      .flatMap((scope) => files.scopes[scope] ?? [])
      .concat(documents.flatMap((one) => one['server_access'] ?? []));
    const defaults = [this.#files.scopes['Defaults'] ?? []].flat();
    const all = [...named, ...defaults].map((rule) => mapping(rule) ?? {});
    return all.filter((rule) => rule['org'] === undefined || rule['org'] === org);
  }

  #isThere(party: Party, server: string): boolean {
    if (server === 'context-store') return true;
    const entry = Object.hasOwn(this.#files.servers, server)
      ? mapping(this.#files.servers[server])
      : undefined;
    if (entry === undefined) return false;
    if (entry['org'] !== undefined && entry['org'] !== party.org) return false;
    const visibility = String(entry['visibility'] ?? 'org');
    if (visibility.startsWith('team:')) return party.teams.includes(visibility.slice('team:'.length));
    if (visibility.startsWith('private:')) {
      return !party.isPublicOnly && visibility === `private:${party.subject}`;
    }
    return visibility === 'org' || visibility === 'public';
  }
}

function isAbout(rule: Plain, server: string): boolean {
  const named = String(rule['server']).replace(/^\/+|\/+$/g, '');
  return named === server || named === '*';
}

function permits(rule: Plain, wish: Wish, party: Party, isNothingDenied: boolean): boolean {
  const { method, isRequest, name } = wish;
  if (method === 'ping') return true;
  if (!isRequest && method.startsWith('notifications/')) return NOTIFICATIONS.has(method) || isNothingDenied;
  const methods = texts(rule['methods']) ?? [];
  const isExact =
    methods.includes(method) || (method === 'server/discover' && methods.includes('initialize'));
  const isKnownEnough = METHODS.has(method) || (isWhole(rule) && isNothingDenied);
  if (!(isExact && !WILDCARDS.includes(method)) && !(isEveryOne(methods) && isKnownEnough)) return false;
  const { tools, prompts, resources } = listsOf(rule);
  switch (KINDS.get(method)) {
    case 'tool':
      return isNamed(tools ?? [], name) && isMet(rule, wish, 'in a grant');
    case 'prompt':
      return prompts === undefined || isNamed(prompts, name);
    case 'resource':
      return resources === undefined || resources.some((one) => isUnder(one, name, namesOf(party)));
    default:
      return true;
  }
}

/** Does a rule leave out no tool, prompt, resource or argument? */
function isWhole(rule: Plain): boolean {
  const { tools, prompts, resources } = listsOf(rule);
  const isFree = [prompts, resources].every((list) => list === undefined || isEveryOne(list));
  return isEveryOne(tools ?? []) && isFree && Object.keys(mapping(rule['arguments']) ?? {}).length === 0;
}

function forbids(rule: Plain, wish: Wish, party: Party): boolean {
  const { method, name } = wish;
  const { methods, tools, prompts, resources } = listsOf(rule);
  if ([methods, tools, prompts, resources].every((list) => list === undefined)) return true;
  const kind = KINDS.get(method);
  if (kind === 'tool' && tools !== undefined) return isNamed(tools, name) && isMet(rule, wish, 'in a deny');
  if (kind === 'prompt' && prompts !== undefined) return isNamed(prompts, name);
  if (kind === 'resource' && resources !== undefined) {
    return resources.some((one) => isDeniedUnder(one, name, namesOf(party)));
  }
  const isSameStep = method === 'server/discover' && (methods?.includes('initialize') ?? false);
  return isSameStep || isNamed(methods ?? [], method);
}

function listsOf(rule: Plain) {
  const [methods, tools] = [texts(rule['methods']), texts(rule['tools'])];
  return { methods, tools, prompts: texts(rule['prompts']), resources: texts(rule['resources']) };
}

function namesOf({ org, subject, client }: Party) {
  return { org_id: org, subject, client_id: client };
}

function isEveryOne(names: readonly string[]): boolean {
  return names.some((one) => WILDCARDS.includes(one));
}

function isNamed(names: readonly string[], name: string): boolean {
  return isEveryOne(names) || names.includes(name);
}

/** Are the arguments as the rule says for this tool? Of those that are none, nobody can tell: no grant, and a deny. */
function isMet(rule: Plain, wish: Wish, place: Place): boolean {
  const constraints = mapping(rule['arguments']) ?? {};
  const schema = Object.hasOwn(constraints, wish.name) ? mapping(constraints[wish.name]) : undefined;
  if (schema === undefined) return true;
  if (wish.arguments === 'unseen') return place === 'in a grant';
  const given = mapping(wish.arguments);
  return given === undefined ? place === 'in a deny' : meets(schema, given, place);
}

/** Everything that a message needs; undefined where it does not say what it means. */
export function wishesOf({ server, message }: Ask): Wish[] | undefined {
  const read = mapping(parsePlain(message)) ?? {};
  const method = String(read['method']);
  const isRequest = read['id'] !== undefined;
  const params = mapping(read['params']) ?? {};
  const kind = KINDS.get(method);
  const name = kind === undefined ? '' : params[kind === 'resource' ? 'uri' : 'name'];
  if (typeof name !== 'string' || (kind !== undefined && name === '')) return undefined;
  const given = 'arguments' in params ? params['arguments'] : {};
  const own: Wish = { server, method, isRequest, name, arguments: given };
  const more = (method: string, name: unknown): Wish => {
    return { server, method, isRequest: true, name: String(name), arguments: {} };
  };
  if (method === 'completion/complete') {
    const ref = mapping(params['ref']) ?? {};
    return [
      own,
      ref['type'] === 'ref/prompt' ? more('prompts/get', ref['name']) : more('resources/read', ref['uri']),
    ];
  }
  if (method === 'subscriptions/listen') {
    const uris = texts(mapping(params['notifications'])?.['resourceSubscriptions']) ?? [];
    return [own, ...uris.map((uri) => more('resources/read', uri))];
  }
  return [own];
}
