import type { EgressMode } from '../core/policy.ts';
import { err, ok } from '../core/result.ts';
import { createIdentity, type IdentityPorts } from './credentials/identity.ts';
import type { CredentialMode } from './credentials/mode.ts';
import { passthrough } from './credentials/passthrough.ts';
import { createServiceAccount, type ServiceAccountPorts } from './credentials/service-account.ts';

/** Puts on what the egress mode of the target says. */
export type Credentials = { readonly put: CredentialMode };

/** The ports of egress credentials. */
export type CredentialPorts = IdentityPorts & ServiceAccountPorts;

/** Credentials by egress mode (contract §7), one file of `credentials/` each. */
export function createCredentials(ports: CredentialPorts): Credentials {
  const modes: Readonly<Record<EgressMode, CredentialMode>> = {
    none: async () => ok({ hidden: [], version: undefined }),
    passthrough,
    identity: createIdentity(ports),
    service_account: createServiceAccount(ports),
    user_oauth: notBuilt,
    hybrid: notBuilt,
  };
  return { put: (call) => modes[call.target.egress.mode](call) };
}

const notBuilt: CredentialMode = async ({ target }) =>
  err({ reason: 'missing_credential', detail: `mode \`${target.egress.mode}\` is not built yet` });
