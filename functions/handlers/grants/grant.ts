import type { GrantPlan } from '../../core/grant.ts';
import type { Invocation } from '../../core/invocation.ts';
import type { ClientEntry, Policy } from '../../core/policy.ts';
import type { Result } from '../../core/result.ts';
import type { ClientRefusal } from '../client-authentication.ts';
import type { IssuerPorts } from '../issuer-ports.ts';

/** A token request of a client that is authenticated. */
export type GrantRequest = {
  readonly client: ClientEntry;
  readonly policy: Policy;
  readonly form: ReadonlyMap<string, string>;
  readonly resources: readonly string[];
  readonly invocation: Invocation;
};

/** A token that may be issued. */
export type Granted = {
  readonly plan: GrantPlan;
  /** Members of the answer beside those that every answer has. */
  readonly members?: Readonly<Record<string, string>>;
  /**
   * What must happen once (redeeming a code, rotating a refresh token): one conditional write, made when the token is signed and
   * recorded and before anybody sees it. Where it fails there is no token; a dependency that failed earlier has used nothing up.
   */
  readonly commit?: () => Promise<Result<void, ClientRefusal>>;
};

/**
 * One grant type of the token endpoint: judges a request and plans its token. Writes nothing but in `commit`, and the revocation of what
 * somebody uses a second time.
 */
export type Grant = (ports: IssuerPorts, request: GrantRequest) => Promise<Result<Granted, ClientRefusal>>;
