import { randomBytes } from 'node:crypto';

/** What a connected account may be acted for by: which account, and its one refresh token. */
type Grant = { readonly accountId: string; refreshToken: string };

/** How long an access token of the carrier lives. */
export const ACCESS_SECONDS = 300;
const MAX_GRANTS = 100;

/** The grants of the demo carrier, in memory: they end with it. A refresh token is good for one refresh. */
export class CarrierGrants {
  readonly #grants = new Set<Grant>();
  readonly #access = new Map<string, { readonly grant: Grant; readonly endsAtMs: number }>();

  /** Begins a grant, and gives the first tokens. */
  begin(accountId: string): Response {
    for (const oldest of this.#grants) if (this.#grants.size >= MAX_GRANTS) this.#end(oldest);
    const grant = { accountId, refreshToken: '' };
    this.#grants.add(grant);
    return this.#tokens(grant);
  }

  /** The next tokens; undefined where the refresh token is none, or no longer one. */
  refresh(refreshToken: string): Response | undefined {
    const grant = this.#find(refreshToken);
    return grant === undefined ? undefined : this.#tokens(grant);
  }

  /** Ends the grant that a token is of (RFC 7009). */
  revoke(token: string): void {
    const grant = this.#find(token) ?? this.#access.get(token)?.grant;
    if (grant !== undefined) this.#end(grant);
  }

  /** Whose access token it is; undefined where it is nobody's, or not any more. */
  accountOf(accessToken: string): string | undefined {
    const found = this.#access.get(accessToken);
    const isLive = found !== undefined && Date.now() < found.endsAtMs && this.#grants.has(found.grant);
    return isLive ? found.grant.accountId : undefined;
  }

  #find(refreshToken: string): Grant | undefined {
    return [...this.#grants].find((grant) => grant.refreshToken === refreshToken && refreshToken !== '');
  }

  #end(grant: Grant): void {
    this.#grants.delete(grant);
    for (const [token, { grant: its }] of this.#access) if (its === grant) this.#access.delete(token);
  }

  #tokens(grant: Grant): Response {
    const now = Date.now();
    for (const [token, { endsAtMs }] of this.#access) if (now >= endsAtMs) this.#access.delete(token);
    const accessToken = randomBytes(32).toString('base64url');
    grant.refreshToken = randomBytes(32).toString('base64url');
    this.#access.set(accessToken, { grant, endsAtMs: now + ACCESS_SECONDS * 1_000 });
    const tokens = { access_token: accessToken, token_type: 'Bearer', expires_in: ACCESS_SECONDS };
    return Response.json(
      { ...tokens, refresh_token: grant.refreshToken, scope: 'parcels.read' },
      { headers: { 'cache-control': 'no-store' } },
    );
  }
}
