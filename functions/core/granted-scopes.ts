import type { Provider } from './provider.ts';

/** Scopes that sign a user in or keep the sign-in: what providers grant of them, many do not name. */
const OF_SIGN_IN: ReadonlySet<string> = new Set([
  'openid',
  'profile',
  'email',
  'address',
  'phone',
  'offline_access',
  'offline.access',
]);

/** Is this one of the scopes that sign a user in or keep the sign-in? */
export function isOfSignIn(scope: string): boolean {
  return OF_SIGN_IN.has(scope);
}

/** Google names two of them otherwise than they are asked for (https://developers.google.com/identity/protocols/oauth2/scopes). */
const GOOGLE_NAMES: ReadonlyMap<string, string> = new Map([
  ['email', 'https://www.googleapis.com/auth/userinfo.email'],
  ['profile', 'https://www.googleapis.com/auth/userinfo.profile'],
]);

/** What GitHub leaves out of its answer because a wider scope has it (https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps). */
const GITHUB_WIDER: ReadonlyMap<string, readonly string[]> = new Map([
  ['read:user', ['user']],
  ['user:email', ['user']],
  ['user:follow', ['user']],
  ['repo:status', ['repo']],
  ['repo_deployment', ['repo']],
  ['public_repo', ['repo']],
  ['repo:invite', ['repo']],
  ['security_events', ['repo']],
]);

const GRAPH = 'https://graph.microsoft.com/';

/** Those of the needed scopes that were not granted. `asked`: what the authorization request asked for. */
export function missingScopes(
  provider: Pick<Provider, 'scopeDialect'>,
  { granted, asked }: { readonly granted: readonly string[]; readonly asked: readonly string[] },
  needed: readonly string[],
): readonly string[] {
  const has = new Set(granted.map((scope) => plainName(provider, scope)));
  return needed.filter((scope) => {
    if (has.has(plainName(provider, scope)) || (OF_SIGN_IN.has(scope) && asked.includes(scope))) return false;
    return !(provider.scopeDialect === 'github' && widerOnGitHub(scope).some((wider) => has.has(wider)));
  });
}

function plainName({ scopeDialect }: Pick<Provider, 'scopeDialect'>, scope: string): string {
  if (scopeDialect === 'google') return GOOGLE_NAMES.get(scope) ?? scope;
  if (scopeDialect !== 'microsoft') return scope;
  return (scope.startsWith(GRAPH) ? scope.slice(GRAPH.length) : scope).toLowerCase();
}

/** `admin:x` has `write:x`, which has `read:x`. */
function widerOnGitHub(scope: string): readonly string[] {
  const [, verb, object] = /^(read|write):(.+)$/.exec(scope) ?? [];
  const byVerb = verb === 'read' ? [`write:${object}`, `admin:${object}`] : [`admin:${object}`];
  return [...(GITHUB_WIDER.get(scope) ?? []), ...(verb === undefined ? [] : byVerb)];
}
