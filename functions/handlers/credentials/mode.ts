import type { Caller } from '../../core/caller.ts';
import type { Denial } from '../../core/denial.ts';
import type { Invocation } from '../../core/invocation.ts';
import type { Perimeter } from '../../core/perimeter-list.ts';
import type { Egress } from '../../core/policy.ts';
import type { Provider } from '../../core/provider.ts';
import type { Result } from '../../core/result.ts';
import type { Secret } from '../../core/secret.ts';

/** Where a credential goes: a server or service of the policy. */
export type CredentialTarget = {
  readonly name: string;
  readonly url: string;
  readonly private: boolean;
  readonly egress: Egress;
};

/** A request on its way out, to put the credential on. Header names are lower case. */
export type Outgoing = { readonly url: URL; readonly headers: Map<string, string> };

/** What a credential is put on for. */
export type CredentialCall = {
  readonly caller: Caller;
  readonly target: CredentialTarget;
  /** Where the target's users connect accounts; undefined: nowhere. */
  readonly provider?: Provider | undefined;
  /** Where upstreams may be, and with them whoever gives tokens for them. */
  readonly perimeter?: Perimeter | undefined;
  readonly outgoing: Outgoing;
  readonly origin: string;
  /** The caller's own `Authorization` where it belongs to the upstream (contract §3). */
  readonly callerAuthorization: string | null;
  /** The version that the upstream has just answered 401 to; undefined at the first attempt. */
  readonly refused: string | undefined;
  /** Keeps the invocation alive for what the call need not wait for; absent: it waits. */
  readonly waitUntil?: Invocation['waitUntil'] | undefined;
  /** Only prepares calls, so that it may go without the connection of a user who has none yet; absent: it may not. */
  readonly isPreparation?: boolean;
};

/** What was put on. */
export type PutOn = {
  /** What of it must not come back in the answer. */
  readonly hidden: readonly Secret[];
  /**
   * Names what was put on, and tells nothing of it, where a 401 may mean that there is another by now; undefined: the 401 stands. The
   * version that was refused once more means that there is no other.
   */
  readonly version: string | undefined;
  /** What the operator should know of it, once for each time that it is read; says nothing of its value. Absent: nothing. */
  readonly caution?: string;
  /** The connection that it went without: what the caller is told where the upstream answers 401. Absent: nothing is missing. */
  readonly lacks?: Denial;
};

/**
 * Puts on what one egress mode says (contract §7). A credential that cannot be had is a denial; nothing is ever sent without the one that
 * the mode asks for, but for what only prepares calls and lacks a connection alone.
 */
export type CredentialMode = (call: CredentialCall) => Promise<Result<PutOn, Denial>>;
