import type { Provider } from '../provider.ts';

/** What an entry says, before what we know of its provider. */
export type ProviderDraft = Provider & { readonly userInfoUrl: string | undefined };

/** What is put right in an entry, and what is added to it. Every correction names what it goes by. */
type Knowledge = (draft: ProviderDraft) => Partial<Provider>;

const BY_HOST: ReadonlyMap<string, Knowledge> = new Map<string, Knowledge>([
  ['auth.atlassian.com', knowAtlassian],
  ['oauth2.googleapis.com', knowGoogle],
  ['github.com', knowGitHub],
  ['login.microsoftonline.com', knowMicrosoft],
  ['slack.com', knowSlack],
  ['discord.com', knowDiscord],
  ['accounts.spotify.com', () => ({ tokenAuth: 'client_secret_basic' })],
  ['api.twitter.com', knowX],
  ['api.x.com', knowX],
]);

/**
 * What we know of a provider by the host of its token endpoint, whatever its entry is called. It says nothing of providers that do as
 * RFC 6749 has it.
 */
export function knowledgeOf(draft: ProviderDraft): Partial<Provider> {
  const { hostname } = new URL(draft.tokenUrl);
  if (hostname.endsWith('.amazoncognito.com')) return knowCognito(draft);
  return BY_HOST.get(hostname)?.(draft) ?? {};
}

/**
 * The list of sites says nothing of the user; `/me` does, to a token with `read:me`
 * (https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/).
 */
function knowAtlassian({ scopes }: ProviderDraft): Partial<Provider> {
  if (!scopes.includes('read:me')) return {};
  return {
    account: { url: 'https://api.atlassian.com/me', id: [['account_id']], name: [['email'], ['name']] },
  };
}

/**
 * `approval_prompt` is of the version before, which has no PKCE; with `prompt` beside it the request is refused. Without
 * `prompt=consent` a refresh token comes with the first consent alone (https://developers.google.com/identity/protocols/oauth2/web-server).
 */
function knowGoogle({ authParams }: ProviderDraft): Partial<Provider> {
  const kept = authParams.filter(([name]) => name !== 'approval_prompt' && name !== 'prompt');
  return {
    authParams: [...kept, ['prompt', 'consent']],
    pkce: true,
    revocation: { style: 'rfc7009', url: 'https://oauth2.googleapis.com/revoke' },
    scopeDialect: 'google',
  };
}

/**
 * PKCE since July 2025 (https://github.blog/changelog/2025-07-14-pkce-support-for-oauth-and-github-app-authentication); without the
 * header its token endpoint answers a form.
 */
function knowGitHub({ tokenHeaders, clientId, clientSecretName }: ProviderDraft): Partial<Provider> {
  const url = `https://api.github.com/applications/${encodeURIComponent(clientId)}/grant`;
  return {
    pkce: true,
    tokenHeaders: [...tokenHeaders.filter(([name]) => name !== 'accept'), ['accept', 'application/json']],
    ...(clientSecretName === undefined ? {} : { revocation: { style: 'github', url } }),
    scopeDialect: 'github',
  };
}

/** `/me` needs `User.Read`; the UserInfo endpoint only `openid` (https://learn.microsoft.com/entra/identity-platform/userinfo). */
function knowMicrosoft({ scopes, userInfoUrl }: ProviderDraft): Partial<Provider> {
  const mayReadUser = scopes.some((scope) => /(?:^|\/)User\.Read(?:\.|Write|$)/i.test(scope));
  const isGraphUser = userInfoUrl === 'https://graph.microsoft.com/v1.0/me';
  if (!isGraphUser || mayReadUser) return { pkce: true, scopeDialect: 'microsoft' };
  return {
    pkce: true,
    scopeDialect: 'microsoft',
    account: {
      url: 'https://graph.microsoft.com/oidc/userinfo',
      id: [['sub']],
      name: [['email'], ['name']],
    },
  };
}

/**
 * `oauth/v2/authorize` gives a bot's token, which user methods refuse: a user's comes by `oauth/v2_user/authorize` and
 * https://docs.slack.dev/reference/methods/oauth.v2.user.access. PKCE makes an app a public client for good
 * (https://docs.slack.dev/authentication/using-pkce), so that it is not switched on here.
 */
function knowSlack({ authUrl, tokenUrl, scopes }: ProviderDraft): Partial<Provider> {
  const isBots = authUrl === 'https://slack.com/oauth/v2/authorize';
  return {
    authUrl: isBots ? 'https://slack.com/oauth/v2_user/authorize' : authUrl,
    tokenUrl:
      tokenUrl === 'https://slack.com/api/oauth.v2.access'
        ? 'https://slack.com/api/oauth.v2.user.access'
        : tokenUrl,
    scopeSeparator: ',',
    revocation: { style: 'slack', url: 'https://slack.com/api/auth.revoke' },
    ...(scopes.includes('identity.basic')
      ? {}
      : {
          account: { url: 'https://slack.com/api/auth.test', id: [['user_id']], name: [['user']] },
        }),
  };
}

/** As https://discord.com/.well-known/oauth-authorization-server says. */
function knowDiscord(): Partial<Provider> {
  return {
    pkce: true,
    issuer: 'https://discord.com',
    revocation: { style: 'rfc7009', url: 'https://discord.com/api/oauth2/token/revoke' },
  };
}

/** A confidential client is known by HTTP Basic alone (https://docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token). */
function knowX({ tokenUrl }: ProviderDraft): Partial<Provider> {
  return {
    pkce: true,
    tokenAuth: 'client_secret_basic',
    revocation: { style: 'rfc7009', url: new URL('/2/oauth2/revoke', tokenUrl).href },
  };
}

/** https://docs.aws.amazon.com/cognito/latest/developerguide/revocation-endpoint.html */
function knowCognito({ tokenUrl }: ProviderDraft): Partial<Provider> {
  return { pkce: true, revocation: { style: 'rfc7009', url: new URL('/oauth2/revoke', tokenUrl).href } };
}
