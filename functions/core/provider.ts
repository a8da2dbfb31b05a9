/**
 * An OAuth provider at which users connect accounts (contract §9, `providers.yml`): complete, and switched on. What we know of a provider
 * beyond its entry, the compiler has put in already, so that everything that is sent to it stands here.
 */
export type Provider = {
  /** Its key in `providers.yml`: a part of its redirect URI, and of where connections are kept. */
  readonly name: string;
  readonly displayName: string;
  /** Whose users may connect here; undefined: every organisation's. */
  readonly org: string | undefined;
  /** May its endpoints be at a private or loopback address? */
  readonly private: boolean;
  readonly clientId: string;
  /** Full name of the secret, `{stage}` to be replaced; undefined for a public client. */
  readonly clientSecretName: string | undefined;
  readonly tokenAuth: 'client_secret_post' | 'client_secret_basic';
  /** Where browsers are sent; never fetched by us. */
  readonly authUrl: string;
  readonly tokenUrl: string;
  /** Absent where the provider has no way. */
  readonly revocation?: Revocation;
  /** What `iss` of its answers must be (RFC 9207); absent where it sends none that is known. */
  readonly issuer?: string;
  /** How the account is found out that was connected; absent where nothing tells. */
  readonly account?: AccountLookup;
  /** Where Atlassian lists the sites of a token, of which the gateway names one in `X-Atlassian-Cloud-Id`. */
  readonly sitesUrl?: string;
  /** What is asked for unless a server asks for other scopes. */
  readonly scopes: readonly string[];
  readonly scopeSeparator: ' ' | ',';
  /** Whose way to name what was granted it has; absent: as it was asked for. */
  readonly scopeDialect?: 'github' | 'google' | 'microsoft';
  /** Parameters of the authorization request beside those of RFC 6749 and 7636. */
  readonly authParams: readonly (readonly [string, string])[];
  /** Headers of token requests, names in lower case. */
  readonly tokenHeaders: readonly (readonly [string, string])[];
  /** A registered redirect URI of the deployment's own; absent: {@link connectCallbackUrl}'s. */
  readonly redirectUri?: string;
  readonly pkce: boolean;
};

/**
 * How a connection ends at the provider: by RFC 7009, or as GitHub (https://docs.github.com/en/rest/apps/oauth-applications, a grant
 * is deleted) or Slack (https://docs.slack.dev/reference/methods/auth.revoke) has it.
 */
export type Revocation = { readonly style: 'rfc7009' | 'github' | 'slack'; readonly url: string };

/** Who an access token is for: asked at `url`, read by paths of members, the first that is there. */
export type AccountLookup = {
  readonly url: string;
  readonly id: readonly (readonly string[])[];
  readonly name: readonly (readonly string[])[];
};

/** What an authorization request says beside what the provider's entry says. */
export type AuthorizationParameters = {
  readonly redirectUri: string;
  readonly state: string;
  /** The S256 challenge (RFC 7636); sent where the provider takes one. */
  readonly codeChallenge: string;
  readonly scopes: readonly string[];
};

/** Where a browser is sent to connect (RFC 6749 §4.1.1). */
export function authorizationUrl(
  provider: Provider,
  { redirectUri, state, codeChallenge, scopes }: AuthorizationParameters,
): URL {
  const url = new URL(provider.authUrl);
  for (const [name, value] of provider.authParams) url.searchParams.set(name, value);
  url.searchParams.set('response_type', 'code');
  url.searchParams.set('client_id', provider.clientId);
  url.searchParams.set('redirect_uri', redirectUri);
  if (scopes.length > 0) url.searchParams.set('scope', scopes.join(provider.scopeSeparator));
  url.searchParams.set('state', state);
  if (provider.pkce) {
    url.searchParams.set('code_challenge', codeChallenge);
    url.searchParams.set('code_challenge_method', 'S256');
  }
  return url;
}

/** The redirect URI that we use at this provider alone: an answer from another one cannot arrive here (RFC 9700 §4.4.2.2). */
export function connectCallbackUrl(provider: Provider, origin: string): string {
  return provider.redirectUri ?? `${origin}/connect/${provider.name}/callback`;
}
