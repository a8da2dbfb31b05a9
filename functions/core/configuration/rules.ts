import type { Snapshot } from '../policy.ts';
import { type DefaultRule, type ScopeRule, WILDCARDS } from '../rules/rule.ts';
import { readArgumentSchemas } from './argument-schemas.ts';
import { readOrganisation } from './orgs.ts';
import { readTimeWindow } from './time-windows.ts';
import type { ConfigurationProblem, YamlReader } from './yaml-reader.ts';

const KEYS = ['server', 'methods', 'tools', 'deny', 'prompts', 'resources', 'arguments', 'when'] as const;

type Members = Partial<Record<(typeof KEYS)[number], YamlReader>>;

/** The methods that a list of names is about. */
const CALLS = ['tools/call'] as const;
const PROMPT_METHODS = ['prompts/get'] as const;
/** Methods whose right is that to a resource. */
const RESOURCE_METHODS = ['resources/read', 'resources/subscribe', 'resources/unsubscribe'] as const;

const MAX_PATTERN_LENGTH = 512;
/** A pattern costs its stars times the length of a URI. */
const MAX_STARS = 8;
const PLACEHOLDERS: ReadonlySet<string> = new Set(['{org_id}', '{subject}', '{client_id}']);

/** Reads one rule of a scope. */
export function readRule(rule: YamlReader): ScopeRule | undefined {
  return readMembers(rule, rule.members(...KEYS));
}

/** Reads one rule of `Defaults`, which may be for one organisation. */
export function readDefault(rule: YamlReader, orgs: Snapshot['orgs']): DefaultRule | undefined {
  const { org, ...members } = rule.members('org', ...KEYS);
  const read = readMembers(rule, members);
  const orgId = org === undefined ? undefined : readOrganisation(org, orgs);
  if (read === undefined || org === undefined) return read;
  return orgId === undefined ? undefined : { ...read, org: orgId };
}

/** Reads one entry of a scope document: a rule, or what the source system knows beside servers, of which there is nothing here. */
export function readServerAccess(entry: YamlReader, warnings: ConfigurationProblem[]): ScopeRule | undefined {
  const { agents, ...members } = entry.members('agents', ...KEYS);
  if (agents === undefined) return readMembers(entry, members);
  entry.warn('there are no `agents` here; this entry grants nothing', warnings);
  return undefined;
}

/** The name of a server, written with or without slashes around it; undefined where there is none. */
export function readServerName(server: YamlReader | undefined): string | undefined {
  const name = server?.string()?.replace(/^\/+|\/+$/g, '');
  return name === '' ? undefined : name;
}

function readMembers(rule: YamlReader, members: Members): ScopeRule | undefined {
  const server = readServerName(members.server);
  if (server === undefined) return rule.problem('name the server: `server: fininfo`');
  const isDeny = members.deny?.boolean() ?? false;
  const methods = members.methods?.strings() ?? [];
  const tools = members.tools?.strings();
  const prompts = members.prompts?.strings();
  const resources = members.resources?.items().flatMap((item) => readResourcePattern(item) ?? []);
  const constraints = members.arguments === undefined ? [] : readArgumentSchemas(members.arguments, isDeny);
  const when = members.when === undefined ? undefined : readTimeWindow(members.when);
  checkConstrainedTools(members.arguments, tools);
  const beside = {
    ...(prompts === undefined ? {} : { prompts }),
    ...(resources === undefined ? {} : { resources }),
    ...(constraints.length === 0 ? {} : { arguments: constraints }),
    ...(when === undefined ? {} : { when }),
    at: rule.at,
  };
  if (!isDeny) return { server, methods, tools: tools ?? [], ...beside };
  for (const name of ['methods', 'tools', 'prompts', 'resources'] as const) {
    if (members[name]?.isEmpty)
      members[name]?.problem(`a deny of none denies nothing; leave \`${name}\` out`);
  }
  const names = [members.methods, members.tools, members.prompts, members.resources];
  if (names.every((one) => one === undefined))
    return { server, methods, tools: [], deny: 'server', ...beside };
  return { server, ...forbidden(methods, { tools, prompts, resources }), deny: 'part', ...beside };
}

/** A deny forbids the methods that it names and what its other lists name, so it is stored as the grant of just that. */
function forbidden(
  methods: readonly string[],
  {
    tools,
    prompts,
    resources,
  }: Readonly<Record<'tools' | 'prompts' | 'resources', readonly string[] | undefined>>,
): Pick<ScopeRule, 'methods' | 'tools'> {
  const implied = [
    ...(tools === undefined ? [] : CALLS),
    ...(prompts === undefined ? [] : PROMPT_METHODS),
    ...(resources === undefined ? [] : RESOURCE_METHODS),
  ];
  const isEveryTool = methods.some((method) => method === 'tools/call' || WILDCARDS.has(method));
  return { methods: [...new Set([...methods, ...implied])], tools: tools ?? (isEveryTool ? ['*'] : []) };
}

/** A constraint of a tool that the rule does not name would hold for nothing. */
function checkConstrainedTools(
  constraints: YamlReader | undefined,
  tools: readonly string[] | undefined,
): void {
  if (tools?.some((tool) => WILDCARDS.has(tool))) return;
  for (const [tool, schema] of constraints?.entries() ?? []) {
    if (!tools?.includes(tool)) schema.problem(`\`${tool}\` is not among the \`tools\` of this rule`);
  }
}

function readResourcePattern(pattern: YamlReader): string | undefined {
  const text = pattern.string();
  if (text === undefined) return undefined;
  if (text.length > MAX_PATTERN_LENGTH || text.split('*').length - 1 > MAX_STARS) {
    return pattern.problem(
      `write a pattern of ${MAX_PATTERN_LENGTH} characters and ${MAX_STARS} stars at most`,
    );
  }
  if (/\*{3}/.test(text)) return pattern.problem('write `*` within a segment, `**` across segments');
  const unknown = text.match(/\{[^{}]*\}?|\}/g)?.find((one) => !PLACEHOLDERS.has(one));
  if (unknown === undefined) return text;
  return pattern.problem(`\`${unknown}\` stands for nothing; there are ${[...PLACEHOLDERS].join(', ')}`);
}
