import type { EgressMode } from '../core/policy.ts';
import { ok } from '../core/result.ts';
import type { ConnectionTokenPorts } from './credentials/connection-token.ts';
import { createHybrid } from './credentials/hybrid.ts';
import { createIdentity, type IdentityPorts } from './credentials/identity.ts';
import type { CredentialMode } from './credentials/mode.ts';
import { passthrough } from './credentials/passthrough.ts';
import { createServiceAccount, type ServiceAccountPorts } from './credentials/service-account.ts';
import { createUserOAuth } from './credentials/user-oauth.ts';

/** Puts on what the egress mode of the target says. */
export type Credentials = { readonly put: CredentialMode };

/** The ports of egress credentials. */
export type CredentialPorts = IdentityPorts & ServiceAccountPorts & ConnectionTokenPorts;

/** Credentials by egress mode (contract §7), one file of `credentials/` each. */
export function createCredentials(ports: CredentialPorts): Credentials {
  const identity = createIdentity(ports);
  const modes: Readonly<Record<EgressMode, CredentialMode>> = {
    none: async () => ok({ hidden: [], version: undefined }),
    passthrough,
    identity,
    service_account: createServiceAccount(ports),
    user_oauth: createUserOAuth(ports),
    hybrid: createHybrid(ports, identity),
  };
  return { put: (call) => modes[call.target.egress.mode](call) };
}
