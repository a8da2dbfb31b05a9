import type { Invocation } from '../core/invocation.ts';
import type { ClientEntry, Policy } from '../core/policy.ts';
import { ok, type Result } from '../core/result.ts';
import { VerifiedRunToken } from '../core/run-token.ts';
import { KeySet, type TokenRefusal } from '../core/signed-token.ts';
import { VerifiedToken } from '../core/token.ts';
import type { ClientRefusal } from './client-authentication.ts';
import { type FoundRefreshToken, findRefreshToken } from './grants/refresh-token.ts';
import type { IssuerPorts } from './issuer-ports.ts';

/** A token that a client sends as a parameter, by what it is; `none` is nothing of ours, or a refresh token of somebody else. */
export type PresentedToken =
  | { readonly kind: 'access'; readonly token: VerifiedToken }
  | { readonly kind: 'run'; readonly token: VerifiedRunToken }
  | { readonly kind: 'refresh'; readonly found: FoundRefreshToken }
  | { readonly kind: 'none'; readonly detail: string };

/**
 * Reads a token that a client presents to be revoked or looked at. What it is shows in its form, so that no hint is needed (RFC 7009 §2.1).
 * Does NOT say whether a token is revoked, or whether an access or run token concerns this client.
 */
export async function readPresentedToken(
  ports: IssuerPorts,
  about: { readonly client: ClientEntry; readonly policy: Policy; readonly invocation: Invocation },
  compact: string,
): Promise<Result<PresentedToken, ClientRefusal>> {
  const verified = await verifyOwnToken(ports, compact, about.invocation);
  if (!verified.ok && verified.error.reason === 'unavailable') return { ok: false, error: verified.error };
  if (verified.ok) return ok(verified.value);
  const refresh = await findRefreshToken(ports, about, compact);
  if (!refresh.ok) return refresh;
  return ok(
    refresh.value === undefined
      ? { kind: 'none', detail: verified.error.detail }
      : { kind: 'refresh', found: refresh.value },
  );
}

/**
 * Verifies an access token or a run token of ours. Our own keys are asked, not the published copy of them: what looked unknown here would
 * be left alive.
 */
export async function verifyOwnToken(
  ports: IssuerPorts,
  compact: string,
  { origin }: Invocation,
): Promise<
  Result<
    Extract<PresentedToken, { kind: 'access' | 'run' }>,
    TokenRefusal | Extract<ClientRefusal, { reason: 'unavailable' }>
  >
> {
  const published = await ports.keys.publish();
  if (!published.ok) return published;
  const expected = {
    issuer: origin,
    keys: new KeySet(published.value),
    nowSeconds: Math.floor(ports.now() / 1000),
  };
  const access = VerifiedToken.verify(compact, { ...expected, kind: 'access' });
  if (access.ok) return ok({ kind: 'access', token: access.value });
  if (access.error.detail !== 'header') return access;
  // The two kinds differ in their `typ`.
  const run = VerifiedRunToken.verify(compact, expected);
  return run.ok ? ok({ kind: 'run', token: run.value }) : run;
}
