import type { Connection } from './connection.ts';
import { isOfSignIn, missingScopes } from './granted-scopes.ts';
import type { Policy } from './policy.ts';
import type { Provider } from './provider.ts';

/** What a connection is asked for, and what of it there is not yet. */
export type WantedScopes = {
  /**
   * What is needed, what of the provider's own scopes tells whose account it is and keeps the connection, and what was granted before: nothing
   * is lost by connecting again.
   */
  readonly asked: readonly string[];
  readonly missing: readonly string[];
};

/**
 * The scopes of a connection for a server or service of an organisation, or for the provider alone. A target that is not there, or whose
 * connections are another provider's by now, needs what the provider's entry asks for.
 */
export function wantedScopes(
  policy: Policy,
  provider: Provider,
  orgId: string,
  target: string | undefined,
  connection: Connection | undefined,
): WantedScopes {
  const entry = policy.servers.get(target ?? '') ?? policy.services.get(target ?? '');
  const isItsProvider = entry !== undefined && policy.providerFor(entry.egress, orgId) === provider;
  const needed = (isItsProvider ? entry.egress.scopes : undefined) ?? provider.scopes;
  const granted = connection?.scopes ?? [];
  return {
    asked: [...new Set([...needed, ...provider.scopes.filter(isOfConnection), ...granted])],
    missing: missingScopes(provider, { granted, asked: connection === undefined ? [] : needed }, needed),
  };
}

/**
 * Scopes without which providers do not say whose a token is, beside those of a sign-in: Atlassian, Slack, Discord, X
 * (both of its), Microsoft and Google by their longer names.
 */
const OF_ACCOUNT =
  /^(?:read:me|identity\.basic|identify|users\.read|tweet\.read|(?:https:\/\/graph\.microsoft\.com\/)?User\.Read|https:\/\/www\.googleapis\.com\/auth\/userinfo\.(?:email|profile))$/i;

/** Is it about the connection, whichever server needs it? */
function isOfConnection(scope: string): boolean {
  return isOfSignIn(scope) || OF_ACCOUNT.test(scope);
}

/** Scopes that most providers have, in words. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['openid', 'know who you are there'],
  ['profile', 'read your name and profile'],
  ['email', 'read your email address'],
  ['offline_access', 'act while you are away'],
  ['offline.access', 'act while you are away'],
]);

/** A provider's scope in words: those that everybody has, and what a `verb:object` spells; undefined where it says nothing to people. */
export function providerScopeWords(scope: string): string | undefined {
  const [, verb, object = ''] = /^(read|write|manage|search|delete):([A-Za-z0-9:._-]+)$/.exec(scope) ?? [];
  return WORDS.get(scope) ?? (verb === undefined ? undefined : `${verb} ${object.replace(/[:._-]+/g, ' ')}`);
}
