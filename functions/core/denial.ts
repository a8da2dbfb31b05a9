import type { MessageRefusal } from './action.ts';
import type { CallerRefusal } from './caller.ts';
import type { PolicyRefusal } from './decide.ts';
import type { IdpTokenRefusal } from './idp-token.ts';
import type { Unavailable, UpstreamFailure } from './ports.ts';
import type { RateLimited } from './rate-limit.ts';
import type { RunRefusal } from './run.ts';
import type { TokenRefusal } from './signed-token.ts';
import type { ItemRefusal } from './spi.ts';
import type { ScopeRefusal } from './visibility.ts';

/** A request that carries no credential, or one that stands for nobody. */
export type IngressRefusal =
  | TokenRefusal
  | IdpTokenRefusal
  | CallerRefusal
  | { readonly reason: 'no_token' }
  | { readonly reason: 'malformed_token_header' }
  | { readonly reason: 'selector_mismatch' }
  | { readonly reason: 'revoked' };

/** A request that is refused for its form. */
export type FormRefusal = {
  readonly reason:
    | 'payload_too_large'
    | 'unsupported_media_type'
    | 'forbidden_origin'
    | 'method_not_allowed'
    | 'unknown_session';
};

/** An egress that is refused: no credential to put on, or a delegation that does not hold. `detail` is the operator's. */
export type EgressRefusal = {
  readonly reason:
    | 'missing_credential'
    | 'missing_upstream_token'
    | 'refused_upstream_token'
    | 'refused_credential'
    | 'bad_delegation'
    | 'path_not_allowed'
    | 'outside_perimeter';
  readonly detail: string;
};

/** A call of a user who has no connection that it could be made with. `detail` is the operator's. */
export type ConnectionRequired = {
  readonly reason: 'connection_required';
  /** The page of ours on which the user connects: the same for the same need, and without a secret. */
  readonly url: string;
  /** The provider as people read it. */
  readonly displayName: string;
  readonly detail: string;
  /** Sealed, where the client can be asked to open the URL and to send its request again (mcp 2026-07-28 §mrtr); absent elsewhere. */
  readonly requestState?: string;
  /** The upstream has just refused the connection that there is. */
  readonly isRefused?: true;
};

/** Every reason to refuse. */
export type Denial =
  | IngressRefusal
  | ConnectionRequired
  | MessageRefusal
  | PolicyRefusal
  | FormRefusal
  | EgressRefusal
  | ScopeRefusal
  | RunRefusal
  | ItemRefusal
  | UpstreamFailure
  | RateLimited
  | Unavailable;

/** A denial as a record names it: its reason, and what an operator needs beside it, the rule that stood in the way. */
export function recordedReason(denial: Denial): string {
  if ('detail' in denial) return `${denial.reason}: ${denial.detail}`;
  const cause = 'cause' in denial ? denial.cause : undefined;
  return cause === undefined ? denial.reason : `${denial.reason}: ${cause.kind} by ${cause.at}`;
}

/** For how many seconds whoever is refused should wait (RFC 9110 §10.2.3); undefined where waiting changes nothing. */
export function retryAfterSeconds(denial: Denial): number | undefined {
  if (denial.reason === 'rate_limited') return denial.retryAfterSeconds;
  return denial.reason === 'unavailable' ? 2 : undefined;
}
