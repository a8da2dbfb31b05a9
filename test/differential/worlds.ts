import type { Random } from '../fuzz/random.ts';
import { anArgumentSchema, someArguments } from './constraints.ts';
import { mapping, Numeral } from './plain.ts';
import { writePlain } from './text.ts';
import { aWindow, MOMENTS_SECONDS } from './windows.ts';
import type { Ask, Claims, World } from './world.ts';

/** Few names, so that they meet; some of one kind are names of another. */
const SERVERS = ['a', 'b'];
const SCOPES = ['s1', 's2', 's3'];
const GROUPS = ['g1', 'g2'];
const TEAMS = ['t', 'u', 'v'];
const TOOLS = ['t1', 't2', 'T1', 'resources/read', 'tools/call', 'p1'];
const PROMPTS = ['p1', 'p2', 't1', 'prompts/get'];
const METHODS = [
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
  'notifications/initialized',
  'TOOLS/CALL',
  'x/unknown',
  't1',
];
const PATTERNS = [
  'docs://acme/a',
  'docs://acme/*',
  'docs://acme/**',
  'docs://{org_id}/**',
  'docs://{org_id}/*',
  'docs://{subject}/x',
  'docs://{client_id}/**',
  'docs://acme/a*/x',
  'docs://**/x',
  'http://127.0.0.1/**',
  '**',
  '*',
  'all',
];
const URIS = [
  'docs://acme/a',
  'docs://acme/a/b',
  'docs://acme/ab/x',
  'docs://acme/',
  'docs://acme',
  'docs://ACME/a',
  'docs://rival/a',
  'docs://acme/../rival/a',
  'docs://acme/./a',
  'docs://acme/%2e%2e/rival',
  'docs://acme/%2E/a',
  'docs://acme/a%2Fb',
  'docs://acme/a%20b',
  'docs://acme/a\\b',
  'docs://acme//a',
  'docs:/acme/a',
  'DOCS://acme/a/',
  'docs://acme/%61',
  'docs://acme/%0a',
  'docs://acme/%ff',
  'docs://acme/%zz',
  'docs://acme/a/..?x',
  'docs://acme/a?x=1#y',
  'docs://acme/{id}',
  'docs://acme/{+path}',
  'docs://bot/x',
  'docs://bot/y/z',
  'docs://idp:ann/x',
  'docs://*/x',
  'docs://a/b/x',
  'docs://acme;v=1/a;b',
  'docs://acme/..;/rival',
  'docs://acme/%2e%3b/a',
  'docs://ac\u00adme/a',
  'docs://acme/%E2%80%8Bab/x',
  'docs://acme/\uff41',
  'http://127.1/x',
  'http://2130706433/a/b?c',
  'http://127.0.0.2/x',
  'http://127.0.0.1',
  'all',
  '*',
];
const PROVIDER = {
  client_id: 'gate',
  auth_url: 'https://idp.example.com/authorize',
  token_url: 'https://idp.example.com/token',
  issuer: 'https://idp.example.com',
  jwks_url: 'https://idp.example.com/keys',
  org: 'acme',
};
const SUBJECTS = ['idp:ann', 'idp:ann', 'idp:ben', 'idp:*', 'idp:a/b', 'idp:..'];

/** What a server answers to list requests. */
export const LISTS: World['lists'] = [
  { method: 'tools/list', list: 'tools', member: 'name', means: 'tools/call', names: TOOLS },
  { method: 'prompts/list', list: 'prompts', member: 'name', means: 'prompts/get', names: PROMPTS },
  { method: 'resources/list', list: 'resources', member: 'uri', means: 'resources/read', names: URIS },
  {
    method: 'resources/templates/list',
    list: 'resourceTemplates',
    member: 'uriTemplate',
    means: 'resources/read',
    names: ['docs://acme/{id}', 'docs://rival/{id}', 'docs://{org_id}/x', '{+path}'],
  },
];

/** A configuration with what it may be asked: the same for the same stream of chance. */
export function makeWorld(random: Random): World {
  return {
    files: new Map([
      ['scopes.yml', writePlain(scopesFile(random))],
      ['servers.yml', writePlain({ servers: serversFile(random) })],
      ['clients.yml', writePlain({ clients: clientsFile(random) })],
      ['orgs.yml', writePlain({ orgs: orgsFile(random) })],
      ['idps.yml', writePlain({ providers: { idp: PROVIDER } })],
    ]),
    callers: Array.from({ length: 10 }, () => aCaller(random)),
    asks: Array.from({ length: 150 }, () => anAsk(random)),
    lists: LISTS,
    momentsSeconds: Array.from({ length: 3 }, () => random.pick(MOMENTS_SECONDS)),
  };
}

function some<T>(random: Random, values: readonly T[], percent: number): T[] {
  return values.filter(() => random.chance(percent));
}

/** Absent, none, all in either spelling, or some. A deny of none is no rule. */
function names(random: Random, values: readonly string[], isDeny: boolean, absentPercent: number) {
  if (random.chance(absentPercent)) return undefined;
  if (random.chance(25)) return [random.pick(['all', '*'])];
  const picked = some(random, values, 40);
  return isDeny && picked.length === 0 ? [random.pick(values)] : picked;
}

/** A deny may leave out of which type a value is. */
function aConstraint(random: Random, isDeny: boolean): Record<string, unknown> {
  const schema = anArgumentSchema(random);
  if (!isDeny || random.chance(50)) return schema;
  const properties = Object.entries(mapping(schema['properties']) ?? {}).map(([name, one]) => {
    const { type, ...rest } = mapping(one) ?? {};
    return [name, Object.keys(rest).length > 0 ? rest : { type }];
  });
  return { ...schema, properties: Object.fromEntries(properties) };
}

/** One rule, of a scope or for everybody. */
export function aRule(
  random: Random,
  { isDefault, isDeny }: { readonly isDefault: boolean; readonly isDeny: boolean },
): Record<string, unknown> {
  const tools = names(random, TOOLS, isDeny, isDeny ? 50 : 20);
  const rule: Record<string, unknown> = {
    server: random.pick([
      ...SERVERS,
      ...SERVERS,
      'a',
      '*',
      '*',
      random.pick(['all', 'context-store', '/a/']),
    ]),
    deny: isDeny ? true : random.chance(5) ? false : undefined,
    methods: names(random, METHODS, isDeny, isDeny ? 60 : 1),
    tools,
    prompts: names(random, PROMPTS, isDeny, isDeny ? 80 : 60),
    resources: names(random, PATTERNS, isDeny, isDeny ? 80 : 60),
    arguments: tools === undefined || random.chance(70) ? undefined : constraintsOf(random, tools, isDeny),
    when: random.chance(75) ? undefined : aWindow(random),
  };
  if (isDefault) rule['org'] = random.pick([undefined, 'acme', 'rival']);
  return rule;
}

/** Of some of the tools; of none there is nothing to be written. */
function constraintsOf(random: Random, tools: readonly string[], isDeny: boolean) {
  const constrained = some(random, tools, 50);
  if (constrained.length === 0) return undefined;
  return Object.fromEntries(constrained.map((tool) => [tool, aConstraint(random, isDeny)]));
}

function rules(random: Random, most: number, isDefault: boolean): Record<string, unknown>[] {
  return Array.from({ length: random.below(most + 1) }, () =>
    aRule(random, { isDefault, isDeny: random.chance(22) }),
  );
}

function scopesFile(random: Random): Record<string, unknown> {
  const scopes = new Map(SCOPES.map((scope) => [scope, rules(random, 4, false)]));
  const documents = random.chance(20) ? ['s3'] : [];
  return {
    'UI-Scopes': { ui: { manage_policy: ['all'] } },
    group_mappings: Object.fromEntries(GROUPS.map((group) => [group, some(random, [...SCOPES, 'ui'], 70)])),
    Defaults: random.chance(60) ? rules(random, 2, true) : undefined,
    'Scope-Documents': documents.map((name) => ({
      scope_name: name,
      group_mappings: some(random, GROUPS, 50),
      server_access: scopes.get(name),
    })),
    ...Object.fromEntries([...scopes].filter(([name]) => !documents.includes(name))),
  };
}

function serversFile(random: Random): Record<string, unknown> {
  const entries = SERVERS.map((name) => {
    const visibility = random.pick([
      ...[undefined, undefined, undefined, undefined, undefined, 'public'],
      'org',
      'private:bot',
      `private:${random.pick(SUBJECTS)}`,
      `team:${random.pick(TEAMS)}`,
    ]);
    const isTeams = visibility?.startsWith('team:') ?? false;
    const org = random.pick([undefined, undefined, undefined, 'acme', isTeams ? 'acme' : 'rival']);
    return [name, { url: `https://${name}.example.com/mcp`, org, visibility }] as const;
  });
  return Object.fromEntries(entries);
}

function clientsFile(random: Random): Record<string, unknown> {
  const client = (org: string, grants: readonly string[]) => ({
    org,
    auth: 'client_secret_basic',
    secret: { ref: 'sallyport/{stage}/clients/bot' },
    grants,
    scopes: some(random, [...SCOPES, 'ui'], 85),
    groups: some(random, GROUPS, 20),
    audience: 'gateway',
    disabled: random.chance(4) ? true : undefined,
  });
  return {
    bot: client('acme', ['client_credentials']),
    app: { ...client('acme', ['authorization_code']), redirect_uris: ['https://app.example.com/cb'] },
    broker: { ...client('acme', ['token-exchange', 'client_credentials']), exchange_from: ['bot', 'app'] },
    'rival-bot': client('rival', ['client_credentials']),
  };
}

function orgsFile(random: Random): Record<string, unknown> {
  const team = () => ({
    members: some(random, ['bot', 'broker', ...new Set(SUBJECTS)], 25),
    groups: some(random, GROUPS, 25),
  });
  const parent = random.pick([undefined, 't']);
  const teams = {
    t: team(),
    u: { ...team(), parent, inherit: parent === undefined || random.chance(50) ? undefined : true },
    v: { ...team(), ...(random.chance(50) ? { parent: 'u', inherit: random.chance(70) } : {}) },
  };
  return {
    acme: { teams, role_bindings: random.chance(20) ? [aBinding(random)] : undefined },
    rival: { suspended: random.chance(5) ? true : undefined, teams: { t: team() } },
  };
}

/** Who is in every team, until some moment or for good. */
function aBinding(random: Random): Record<string, unknown> {
  const end = random.pick([undefined, '2026-12-01T00:00:00Z']);
  return {
    role: random.chance(80) ? 'platform_admin' : 'platform_viewer',
    members: some(random, ['bot', ...new Set(SUBJECTS)], 30),
    groups: some(random, GROUPS, 30),
    expires_at: end,
  };
}

function aCaller(random: Random): Claims {
  const isUser = random.chance(50);
  const isDelegated = random.chance(20);
  const subject = isUser
    ? random.pick(random.chance(3) ? ['gone:ann'] : SUBJECTS)
    : random.pick(['bot', 'bot', 'bot', 'rival-bot', 'broker']);
  const client = isDelegated ? 'broker' : isUser ? 'app' : subject;
  const isOfRival = client === 'rival-bot' || random.chance(3);
  return {
    sub: subject,
    client_id: client,
    org_id: isOfRival ? 'rival' : 'acme',
    scope: some(random, [...SCOPES, 'ui', 'gone'], 75).join(' '),
    ...(isUser ? { groups: some(random, [...GROUPS, 'g3'], 75) } : {}),
    ...(isDelegated ? { act: { sub: 'broker' } } : {}),
    token_kind: random.chance(50) ? 'session' : undefined,
    teams: random.chance(50) ? some(random, [...TEAMS, 'w'], 50) : undefined,
  };
}

function anAsk(random: Random): Ask {
  const others = ['context-store', 'context-store', '*', 'none'];
  const server = random.chance(90) ? random.pick(SERVERS) : random.pick(others);
  const isNotification = random.chance(10);
  const method = random.chance(40)
    ? 'tools/call'
    : random.pick([...METHODS, 'notifications/x', 'notifications/cancelled', 'all', '*']);
  const params = paramsOf(random, method);
  const message = { jsonrpc: '2.0', ...(isNotification ? {} : { id: new Numeral('1') }), method, params };
  return { server, message: writePlain(message) };
}

function paramsOf(random: Random, method: string): Record<string, unknown> | undefined {
  switch (method) {
    case 'tools/call':
      return {
        name: random.pick([...TOOLS, 't1', 't2', 't1 ', 'all', '*', 'x', '']),
        arguments: random.chance(10) ? random.pick([undefined, null]) : someArguments(random),
      };
    case 'prompts/get':
      return { name: random.pick([...PROMPTS, 'all', '*', 'x']) };
    case 'resources/read':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return { uri: random.pick(URIS) };
    case 'completion/complete': {
      const ref = random.chance(50)
        ? { type: 'ref/prompt', name: random.pick(PROMPTS) }
        : { type: 'ref/resource', uri: random.pick(URIS) };
      return { ref, argument: { name: 'x', value: '' } };
    }
    case 'subscriptions/listen':
      return { notifications: { resourceSubscriptions: random.list(2, () => random.pick(URIS)) } };
    default:
      return random.chance(20) ? { name: random.pick(TOOLS) } : undefined;
  }
}
