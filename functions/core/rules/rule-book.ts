import type { Snapshot } from '../policy.ts';
import type { Limit } from './limit.ts';
import { type Rule, readyRule, SharedParts } from './ready-rule.ts';
import { DEFAULTS, type DefaultRule, type ScopeRule, type ScopeSettings } from './rule.ts';

/** The part of a snapshot that `scopes.yml` gives. */
type RuleSnapshot = Pick<Snapshot, 'scopes' | 'defaults' | 'scopeSettings' | 'limits'>;

/** Every rule of a policy, found by scope and server: what others are about costs a decision nothing. */
export class RuleBook {
  readonly #grants: ReadonlyMap<string, ServerIndex<Rule>>;
  /** The scopes that grant anything on a server by its name, and those that do on every server. */
  readonly #scopesOn = new Map<string, Set<string>>();
  readonly #scopesEverywhere = new Set<string>();
  readonly #denies: ServerIndex<Rule>;
  readonly #defaults: ServerIndex<Rule>;
  readonly #limits: ServerIndex<Limit & { readonly order: number }>;
  readonly #settings: ReadonlyMap<string, ScopeSettings>;
  readonly #denyingScopes: ReadonlySet<string>;
  readonly #limitedScopes: ReadonlySet<string | undefined>;

  constructor(snapshot: RuleSnapshot) {
    const shared = new SharedParts();
    let order = 0;
    const ready = (scope: string, rules: readonly (ScopeRule | DefaultRule)[]) =>
      rules.map((rule) => {
        order += 1;
        return [rule.server, readyRule(scope, rule, order, shared)] as const;
      });
    const defaults = ready(DEFAULTS, snapshot.defaults ?? []);
    const scopes = snapshot.scopes.map(([scope, rules]) => [scope, ready(scope, rules)] as const);
    const denies = scopes.flatMap(([, rules]) => rules).filter(([, rule]) => rule.deny !== undefined);
    this.#grants = new Map(
      scopes.map(([scope, rules]) => [
        scope,
        new ServerIndex(rules.filter(([, rule]) => rule.deny === undefined)),
      ]),
    );
    for (const [server, { scope, deny }] of scopes.flatMap(([, rules]) => rules)) {
      if (deny !== undefined) continue;
      const here = server === '*' ? this.#scopesEverywhere : (this.#scopesOn.get(server) ?? new Set());
      here.add(scope);
      if (server !== '*') this.#scopesOn.set(server, here);
    }
    this.#defaults = new ServerIndex(defaults.filter(([, rule]) => rule.deny === undefined));
    this.#denies = new ServerIndex([...defaults.filter(([, rule]) => rule.deny !== undefined), ...denies]);
    this.#denyingScopes = new Set(denies.map(([, rule]) => rule.scope));
    this.#limits = new ServerIndex(
      (snapshot.limits ?? []).map((limit, index) => [limit.server ?? '*', { ...limit, order: index }]),
    );
    this.#limitedScopes = new Set((snapshot.limits ?? []).map(({ scope }) => scope));
    this.#settings = new Map(snapshot.scopeSettings ?? []);
  }

  /** What a scope grants on a server, in the order of the file; nothing for a scope that there is not. */
  grants(scope: string, server: string): readonly Rule[] {
    return this.#grants.get(scope)?.on(server) ?? [];
  }

  /** What a scope grants on any server. */
  grantsOf(scope: string): readonly Rule[] {
    return this.#grants.get(scope)?.all ?? [];
  }

  /** What everybody is granted on a server, where the rule is for their organisation. */
  defaults(server: string): readonly Rule[] {
    return this.#defaults.on(server);
  }

  /** The first grant of these scopes, in their order, or of the defaults, that is what is looked for. */
  findGrant(scopes: readonly string[], server: string, isIt: (rule: Rule) => boolean): Rule | undefined {
    const here = this.#scopesOn.get(server);
    const everywhere = this.#scopesEverywhere.size === 0 ? undefined : this.#scopesEverywhere;
    for (const scope of scopes) {
      // A client may have thousands of scopes, of which a few are about this server.
      if (here?.has(scope) !== true && everywhere?.has(scope) !== true) continue;
      const found = this.#grants.get(scope)?.find(server, isIt);
      if (found !== undefined) return found;
    }
    return this.#defaults.find(server, isIt);
  }

  /** The first deny on a server, of any scope or of the defaults, that is what is looked for. */
  findDeny(server: string, isIt: (rule: Rule) => boolean): Rule | undefined {
    return this.#denies.find(server, isIt);
  }

  /** Does the scope forbid anything anywhere? */
  isDenying(scope: string): boolean {
    return this.#denyingScopes.has(scope);
  }

  /** Does a limit count those who are entitled to the scope? */
  isLimited(scope: string): boolean {
    return this.#limitedScopes.has(scope);
  }

  /** Is there such a scope of rules, with or without any in it? */
  hasScope(scope: string): boolean {
    return this.#grants.has(scope);
  }

  /** The limits on a server, whoever they count. */
  limits(server: string): readonly Limit[] {
    return this.#limits.on(server);
  }

  /** What is set for a scope beside its rules. */
  settingsOf(scope: string): ScopeSettings {
    return this.#settings.get(scope) ?? {};
  }
}

/** Entries by the server that they name, and those of every server; both in their order. */
class ServerIndex<T extends { readonly order: number }> {
  readonly #named = new Map<string, T[]>();
  readonly #everywhere: T[] = [];

  constructor(entries: readonly (readonly [server: string, entry: T])[]) {
    for (const [server, entry] of entries) {
      const list = server === '*' ? this.#everywhere : (this.#named.get(server) ?? []);
      list.push(entry);
      if (server !== '*') this.#named.set(server, list);
    }
  }

  on(server: string): readonly T[] {
    const named = this.#named.get(server);
    if (named === undefined) return this.#everywhere;
    if (this.#everywhere.length === 0) return named;
    return [...named, ...this.#everywhere].sort((one, other) => one.order - other.order);
  }

  /** The first that is what is looked for; nothing is copied. */
  find(server: string, isIt: (entry: T) => boolean): T | undefined {
    const named = this.#named.get(server)?.find(isIt);
    const other = this.#everywhere.find(isIt);
    if (named === undefined || other === undefined) return named ?? other;
    return named.order < other.order ? named : other;
  }

  get all(): readonly T[] {
    return [...this.#named.values(), this.#everywhere].flat().sort((one, other) => one.order - other.order);
  }
}
