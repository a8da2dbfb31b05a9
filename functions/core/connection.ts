/** Whose connection it is: verified claims, never a parameter. */
export type ConnectionOwner = { readonly orgId: string; readonly subject: string };

/** An account at a provider, by the provider's own id. */
export type ProviderAccount = { readonly id: string; readonly name: string | undefined };

/** One user's grant at one provider, as its owner may see it: without its tokens. */
export type Connection = {
  readonly provider: string;
  /** Undefined where the provider does not say whose token it is. */
  readonly account: ProviderAccount | undefined;
  /** What the provider has granted. */
  readonly scopes: readonly string[];
  /**
   * `broken`: the provider takes its refresh token no more; only connecting again helps. Or it refuses for no known reason: connecting
   * again helps, or time. Or it cannot be read, or is another endpoint's or client's than the provider's entry names: only disconnecting helps.
   */
  readonly status: 'active' | 'broken';
  /** 0 where it cannot be read. */
  readonly connectedAtSeconds: number;
  /** When the tokens came that it has; 0 where it cannot be read. */
  readonly refreshedAtSeconds: number;
  /** The Atlassian site that calls go to unless they name another one of it. */
  readonly cloudId?: string;
};
