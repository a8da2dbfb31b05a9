import { ok } from '../../core/result.ts';
import { readUpstreamToken } from '../../core/upstream-token.ts';
import type { CredentialMode } from './mode.ts';

/** The caller's own `Authorization`, where it belongs to the upstream (contract §3). It is not kept, and does not come back. */
export const passthrough: CredentialMode = async ({ outgoing, origin, callerAuthorization }) => {
  const token = readUpstreamToken(callerAuthorization, origin);
  if (!token.ok) return token;
  outgoing.headers.set('authorization', token.value.authorization);
  return ok({ hidden: token.value.hidden, version: undefined });
};
