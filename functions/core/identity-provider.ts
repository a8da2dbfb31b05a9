/** An identity provider whose users may log in, or whose access tokens are taken (contract §9, `idps.yml`): enabled, and complete. */
export type IdentityProvider = {
  /** Nobody logs in here: what concerns logins is empty where it was left out. Absent where users do. */
  readonly login?: false;
  /** Its key in `idps.yml`: a part of its users' subjects and of its redirect URI. */
  readonly name: string;
  readonly displayName: string;
  /** The organisation of every user that it vouches for. */
  readonly org: string;
  /** May its endpoints be at a private or loopback address? */
  readonly private: boolean;
  readonly clientId: string;
  /** Full name of the secret, `{stage}` to be replaced; undefined for a public client. */
  readonly clientSecretName: string | undefined;
  readonly tokenAuth: 'client_secret_post' | 'client_secret_basic';
  /** Where browsers are sent; never fetched by us. */
  readonly authUrl: string;
  readonly tokenUrl: string;
  readonly scopes: readonly string[];
  /** The claim that names the user to people. It decides nothing. */
  readonly usernameClaim: string;
  readonly proof: IdTokenProof | GitHubProof;
  /** Whose access tokens are taken at the gate (contract §3); undefined: nobody's. */
  readonly acceptAccessTokens: AcceptedAccessTokens | undefined;
  /** Are assertions about its users (ID-JAG) taken? Absent: where users log in. */
  readonly acceptAssertions?: boolean;
};

/** The user is the one of a signed id token (OpenID Connect Core §3.1.3.7). */
export type IdTokenProof = {
  readonly kind: 'id_token';
  /** Compared with `iss` byte for byte. */
  readonly issuer: string;
  readonly jwksUrl: string;
  /** The claim of groups; undefined where the provider names none. */
  readonly groupsClaim: string | undefined;
};

/** GitHub has no id token: the user is whom its user endpoint names to the access token that our code was redeemed for. */
export type GitHubProof = {
  readonly kind: 'github';
  readonly userInfoUrl: string;
  /** `id`: the number of the user is its group. A login can be given up and taken by somebody else. */
  readonly groupsClaim: 'id' | undefined;
};

/** Access tokens of a provider that are taken at the gate. */
export type AcceptedAccessTokens = {
  readonly clientIds: readonly string[];
  /** What `aud` must be; undefined for providers whose access tokens have none. */
  readonly audience: string | undefined;
};

/** An IdP whose access tokens are taken at the gate (contract §3). */
export type AcceptedIdp = IdentityProvider & {
  readonly proof: IdTokenProof;
  readonly acceptAccessTokens: NonNullable<IdentityProvider['acceptAccessTokens']>;
};

/** Is this one whose access tokens are taken at the gate? */
export function isAccepted(idp: IdentityProvider): idp is AcceptedIdp {
  return idp.acceptAccessTokens !== undefined && idp.proof.kind === 'id_token';
}

/** Is this one whose assertions about its users are taken? GitHub signs none. */
export function isAsserting({ login, proof, acceptAssertions = login !== false }: IdentityProvider): boolean {
  return acceptAssertions && proof.kind === 'id_token';
}

/** The redirect URI that we use at this provider alone: an answer from another one cannot arrive here (RFC 9700 §4.4.2.2). */
export function callbackUrl(provider: IdentityProvider, origin: string): string {
  return `${origin}/oauth/callback/${provider.name}`;
}

/** The subject of a provider's user. A client id has no colon, so that it is never a client's. */
export function subjectOf(provider: IdentityProvider, userId: string): string {
  return `${provider.name}:${userId}`;
}
