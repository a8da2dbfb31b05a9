import type { Action } from './action.ts';
import { decideFor, type Party } from './decide.ts';
import { nameOf } from './explain.ts';
import { teamOf } from './item.ts';
import { Policy, type Snapshot } from './policy.ts';
import type { ScopeRule } from './rules/rule.ts';
import { isOpen, type TimeWindow, WallClocks, windowWords } from './rules/time-window.ts';

/** One change after which the action is allowed: checked by deciding again, not guessed. The first of several is the smallest. */
export type Remedy = {
  readonly kind:
    | 'ask_for_scope'
    | 'give_scope'
    | 'extend_rule'
    | 'remove_deny'
    | 'wait'
    | 'change_arguments'
    | 'join_team';
  readonly text: string;
  readonly scope?: string;
  /** Where in the configuration. */
  readonly at?: string;
};

/** Each that changes the policy costs a compilation of it. */
const MAX_COMPILED = 4;
/** Scopes that would do are many where wildcards are. */
const MAX_SCOPES = 3;

/** Every hour of a week comes in it, whatever the clocks are set to in between. */
const MAX_WAIT_SECONDS = 15 * 86_400;

/**
 * What would allow a refused action, the smallest change first; nothing where nothing so small would. A scope that only clients of other
 * organisations have is proposed to nobody but the platform's own administrators (`isOfPlatform`).
 */
export function findRemedies(
  snapshot: Snapshot,
  party: Party,
  action: Action,
  nowSeconds: number,
  isOfPlatform: boolean,
): readonly Remedy[] {
  const policy = new Policy(snapshot, 0);
  const decision = decideFor(policy, party, action, nowSeconds);
  if (decision.allow) return [];
  const { reason, cause, obtainable } = decision.refusal;
  if (reason === 'unknown_server') return hiddenServer(policy, party, action, nowSeconds);
  const isAllowedAt = (seconds: number) => decideFor(policy, party, action, seconds).allow;
  const now = cause === undefined ? [] : remediesOf(cause, isAllowedAt, nowSeconds);
  const known = scopesKnownTo(snapshot, party.orgId, isOfPlatform);
  const byScope = scopesThatAllow(policy, known, party, action, nowSeconds).map(
    (scope): Remedy =>
      obtainable.includes(scope)
        ? {
            kind: 'ask_for_scope',
            scope,
            text: `ask for a token with the scope ${scope}: this client may have it`,
          }
        : { kind: 'give_scope', scope, text: `give the scope ${scope} to ${holderOf(party)}` },
  );
  const byRule = changedRules(snapshot, party, action, cause)
    .slice(0, MAX_COMPILED)
    .filter(({ change }) => {
      const changed = mapRules(snapshot, change);
      return decideFor(new Policy(changed, 0), party, action, nowSeconds).allow;
    })
    .map(({ remedy }) => remedy);
  return [...now, ...byScope.filter(isAsking), ...byRule, ...byScope.filter((one) => !isAsking(one))];
}

function isAsking({ kind }: Remedy): boolean {
  return kind === 'ask_for_scope';
}

type Cause = NonNullable<Extract<ReturnType<typeof decideFor>, { allow: false }>['refusal']['cause']>;

/** What the caller itself can do: nothing about a deny. */
function remediesOf(
  cause: Cause,
  isAllowedAt: (seconds: number) => boolean,
  nowSeconds: number,
): readonly Remedy[] {
  const { scope, at } = cause;
  switch (cause.kind) {
    case 'denied':
      return [];
    case 'closed':
      if (!opensAgain(cause.when, isAllowedAt, nowSeconds)) return [];
      return [
        { kind: 'wait', scope, at, text: `wait: the rule at ${at} allows this ${windowWords(cause.when)}` },
      ];
    case 'constrained': {
      const { argument, constraint } = cause.failure;
      const what = argument === '' ? 'the arguments' : `the argument \`${argument}\``;
      return [{ kind: 'change_arguments', scope, at, text: `by the rule at ${at}, ${what} ${constraint}` }];
    }
  }
}

/** Does a time come, within two weeks of when the window begins, at which it allows this? Windows open and close on whole minutes. */
function opensAgain(
  window: TimeWindow,
  isAllowedAt: (seconds: number) => boolean,
  nowSeconds: number,
): boolean {
  const clocks = new WallClocks();
  const start = Math.max(nowSeconds, window.notBeforeSeconds ?? nowSeconds);
  const end = Math.min(start + MAX_WAIT_SECONDS, window.notAfterSeconds ?? Number.POSITIVE_INFINITY);
  const nextMinute = (seconds: number) => (Math.floor(seconds / 60) + 1) * 60;
  for (let at = start; at <= end; at = nextMinute(at)) {
    if (isOpen(window, clocks, at) && isAllowedAt(at)) return true;
  }
  return false;
}

/** Scopes of which an administrator of an organisation may be told: all but those that only clients of others have. */
function scopesKnownTo(snapshot: Snapshot, orgId: string, isOfPlatform: boolean): Snapshot['scopes'] {
  if (isOfPlatform) return snapshot.scopes;
  const [own, others] = [new Set<string>(), new Set<string>()];
  for (const { org, scopes } of snapshot.clients) {
    for (const scope of scopes) (org === orgId ? own : others).add(scope);
  }
  return snapshot.scopes.filter(([scope]) => own.has(scope) || !others.has(scope));
}

/** Only of a server for a team: of other organisations’ and other people’s nobody is told that there are any. */
function hiddenServer(policy: Policy, party: Party, action: Action, nowSeconds: number): readonly Remedy[] {
  const { server } = action;
  const entry = policy.servers.get(server);
  if (entry === undefined || (entry.org ?? party.orgId) !== party.orgId) return [];
  const team = teamOf({ orgId: entry.org, visibility: entry.visibility });
  if (team === undefined) return [];
  const teams = [...party.teams, ...policy.teams.expand(party.orgId, [team]), team];
  if (!decideFor(policy, { ...partsOf(party), teams, isPublicOnly: false }, action, nowSeconds).allow)
    return [];
  const text = `make ${party.subject} a member of the team ${team} (orgs.yml): the server ${server} is for that team`;
  return [{ kind: 'join_team', text }];
}

/** Scopes, as the party would be decided on if its token carried them, and if it were entitled to them. */
function scopesThatAllow(
  policy: Policy,
  known: Snapshot['scopes'],
  party: Party,
  action: Action,
  nowSeconds: number,
): readonly string[] {
  const found: string[] = [];
  // What the client may obtain already is smaller than what it must be given.
  const isObtainable = ([scope]: Snapshot['scopes'][number]) => party.obtainableScopes.includes(scope);
  const candidates = [...known.filter(isObtainable), ...known.filter((one) => !isObtainable(one))];
  for (const [scope] of candidates) {
    if (found.length === MAX_SCOPES) break;
    if (party.scopes.includes(scope) || policy.rules(scope, action.server).length === 0) continue;
    const wider = withScope(party, scope);
    if (decideFor(policy, wider, action, nowSeconds).allow) found.push(scope);
  }
  return found;
}

function withScope(party: Party, scope: string): Party {
  return {
    ...partsOf(party),
    scopes: [...party.scopes, scope],
    obtainableScopes: [...party.obtainableScopes, scope],
    isEntitledTo: (one) => one === scope || party.isEntitledTo(one),
  };
}

/** Copied by name: a party may be of a class. */
function partsOf(party: Party): Party {
  const { orgId, subject, clientId, kind, scopes, teams, isPublicOnly, context, runPermissions } = party;
  const parts = { orgId, subject, clientId, kind, scopes, teams, isPublicOnly, context, runPermissions };
  return {
    ...parts,
    obtainableScopes: party.obtainableScopes,
    isEntitledTo: (scope) => party.isEntitledTo(scope),
  };
}

/** What becomes of each rule; the policy with it is made for the few that are looked at. */
type ChangedPolicy = {
  readonly change: (rule: ScopeRule) => ScopeRule | undefined;
  readonly remedy: Remedy;
};

/** Rules of the party's own scopes with what is missing added, and the policy without the deny that decided. */
function changedRules(
  snapshot: Snapshot,
  party: Party,
  action: Action,
  cause: Cause | undefined,
): readonly ChangedPolicy[] {
  if (cause?.kind === 'denied') {
    const { at, scope } = cause;
    const text = `remove the deny at ${at} (${nameOf(scope)})`;
    const keep = (rule: ScopeRule) => (rule.deny !== undefined && rule.at === at ? undefined : rule);
    return [{ change: keep, remedy: { kind: 'remove_deny', scope, at, text } }];
  }
  if (cause !== undefined) return [];
  return snapshot.scopes
    .filter(([scope]) => party.scopes.includes(scope))
    .flatMap(([scope, rules]) =>
      rules.flatMap((rule) => {
        const extended = extendRule(rule, action);
        if (extended === undefined) return [];
        const { at } = rule;
        const change = (one: ScopeRule) => (one === rule ? extended.rule : one);
        const text = `add ${extended.words} in the rule at ${at} (${nameOf(scope)})`;
        return [{ change, remedy: { kind: 'extend_rule' as const, scope, at, text } }];
      }),
    );
}

/** The rule with the one name more that the action needs; undefined where it is about something else. */
function extendRule(
  rule: ScopeRule,
  { server, method, name }: Action,
): { readonly rule: ScopeRule; readonly words: string } | undefined {
  if (rule.deny !== undefined || (rule.server !== server && rule.server !== '*') || method === undefined) {
    return undefined;
  }
  const hasMethod = rule.methods.some((one) => one === method || one === 'all' || one === '*');
  const methods = hasMethod ? rule.methods : [...rule.methods, method];
  const words = hasMethod ? [] : [`${method} to \`methods\``];
  if (method === 'tools/call' && name !== undefined) {
    const hasTool = rule.tools.some((one) => one === name || one === 'all' || one === '*');
    const tools = hasTool ? rule.tools : [...rule.tools, name];
    return said({ ...rule, methods, tools }, [
      ...(hasTool ? [] : [`the tool ${name} to \`tools\``]),
      ...words,
    ]);
  }
  if (method === 'prompts/get' && rule.prompts !== undefined && name !== undefined) {
    return said({ ...rule, methods, prompts: [...rule.prompts, name] }, [
      `the prompt ${name} to \`prompts\``,
      ...words,
    ]);
  }
  if (method.startsWith('resources/') && rule.resources !== undefined && name !== undefined) {
    return said({ ...rule, methods, resources: [...rule.resources, name] }, [
      `${name} to \`resources\``,
      ...words,
    ]);
  }
  return said({ ...rule, methods }, words);
}

function said(
  rule: ScopeRule,
  words: readonly string[],
): { readonly rule: ScopeRule; readonly words: string } | undefined {
  return words.length === 0 ? undefined : { rule, words: words.join(' and ') };
}

function mapRules(snapshot: Snapshot, change: (rule: ScopeRule) => ScopeRule | undefined): Snapshot {
  const mapped = <T extends ScopeRule>(rules: readonly T[]): readonly T[] =>
    rules.flatMap((rule) => {
      const changed = change(rule);
      return changed === undefined ? [] : [{ ...rule, ...changed }];
    });
  return {
    ...snapshot,
    scopes: snapshot.scopes.map(([scope, rules]) => [scope, mapped(rules)]),
    ...(snapshot.defaults === undefined ? {} : { defaults: mapped(snapshot.defaults) }),
  };
}

function holderOf({ kind, clientId, subject }: Party): string {
  return kind === 'user'
    ? `a group of the user ${subject} (group_mappings), and to the client ${clientId}`
    : `the client ${clientId}`;
}
