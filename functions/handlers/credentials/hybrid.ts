import { ok } from '../../core/result.ts';
import { type ConnectionTokenPorts, connectionToken, mayGoWithout, putCloudId } from './connection-token.ts';
import type { CredentialMode } from './mode.ts';

/**
 * Both at once: `Authorization` with the identity token of ours, and the access token of the calling user's own connection in
 * `X-Provider-Authorization`. Both must be had; with one of them alone nothing is sent, but for a preparation that lacks the connection:
 * that goes with the identity.
 */
export function createHybrid(ports: ConnectionTokenPorts, identity: CredentialMode): CredentialMode {
  return async (call) => {
    const token = await connectionToken(ports, call);
    if (!token.ok) {
      if (!mayGoWithout(call, token.error)) return token;
      const alone = await identity(call);
      return alone.ok ? ok({ ...alone.value, lacks: token.error }) : alone;
    }
    const named = putCloudId(call, call.provider ?? {}, token.value);
    if (!named.ok) return named;
    const put = await identity(call);
    if (!put.ok) return put;
    call.outgoing.headers.set('x-provider-authorization', `Bearer ${token.value.token.reveal()}`);
    return ok({ hidden: [...put.value.hidden, token.value.token], version: token.value.version });
  };
}
