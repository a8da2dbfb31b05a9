import { type KeySource, verifyWithKeys } from './key-source.ts';
import type { Clock, Unavailable } from './ports.ts';
import { ok, type Result } from './result.ts';
import { VerifiedRunToken } from './run-token.ts';
import { ServiceRun } from './service-run.ts';
import type { KeySet, TokenRefusal } from './signed-token.ts';

/** Who verifies: the issuer that it trusts, the name under which runs address it, and the time that it goes by. */
export type RunTokenExpectation = {
  readonly issuer: string;
  readonly service: string;
  readonly clock: Clock;
};

/**
 * Verifies a run token for one service, for the context store and for a service of others alike (contract §5): the token, with one
 * fresh look for a key that is not known, and then what it opens there. `scope` of the run has its own refusal, so that who knows more
 * of the token, as its revocation, asks for that first. Does NOT ask whether the run was completed.
 */
export async function verifyRunToken<T extends { readonly keys: KeySet }>(
  compact: string,
  { issuer, service, clock }: RunTokenExpectation,
  source: KeySource<T>,
): Promise<Result<{ readonly run: ServiceRun; readonly found: T }, TokenRefusal | Unavailable>> {
  const verified = await verifyWithKeys(source, (keys) =>
    VerifiedRunToken.verify(compact, { issuer, keys, nowSeconds: clock() }),
  );
  if (!verified.ok) return verified;
  const { token, found } = verified.value;
  return ok({ run: new ServiceRun(token, service), found });
}
