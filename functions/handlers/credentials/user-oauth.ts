import { ok } from '../../core/result.ts';
import { type ConnectionTokenPorts, connectionToken, mayGoWithout, putCloudId } from './connection-token.ts';
import type { CredentialMode } from './mode.ts';

/** `Authorization: Bearer` with the access token of the calling user's own connection; nothing for a preparation that lacks one. */
export function createUserOAuth(ports: ConnectionTokenPorts): CredentialMode {
  return async (call) => {
    const token = await connectionToken(ports, call);
    if (!token.ok) {
      return mayGoWithout(call, token.error)
        ? ok({ hidden: [], version: undefined, lacks: token.error })
        : token;
    }
    const named = putCloudId(call, call.provider ?? {}, token.value);
    if (!named.ok) return named;
    call.outgoing.headers.set('authorization', `Bearer ${token.value.token.reveal()}`);
    return ok({ hidden: [token.value.token], version: token.value.version });
  };
}
