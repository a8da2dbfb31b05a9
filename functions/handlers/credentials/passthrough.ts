import { ok } from '../../core/result.ts';
import type { CredentialMode } from './mode.ts';

/** The caller's own `Authorization`, where it belongs to the upstream (contract §3). */
export const passthrough: CredentialMode = async ({ outgoing, callerAuthorization }) => {
  if (callerAuthorization !== null) outgoing.headers.set('authorization', callerAuthorization);
  return ok({ hidden: [], version: undefined });
};
