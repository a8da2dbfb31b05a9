import type { Invocation } from '../core/invocation.ts';
import type { SigningKey, Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import type { PublicKey } from '../core/signed-token.ts';
import type { IssuerKeys } from './discovery.ts';

/** What signing needs. */
export type SignaturePorts = {
  readonly keys: IssuerKeys;
  readonly signingKey: SigningKey;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
};

/** The key that signs now, once every verifier can know it. What fails is in the log as `signing_failed`. */
export async function readSigningKey(
  ports: SignaturePorts,
  invocation: Invocation,
): Promise<Result<PublicKey, Unavailable>> {
  const published = await ports.keys.publish();
  const key = published.ok ? await ports.signingKey.publicKey() : published;
  if (!key.ok) report(ports, invocation, key.error);
  return key;
}

/** A compact JWS over what is signed. What fails is in the log as `signing_failed`. */
export async function signCompact(
  ports: SignaturePorts,
  signingInput: string,
  keyId: string,
  invocation: Invocation,
): Promise<Result<string, Unavailable>> {
  const signature = await ports.signingKey.sign(signingInput, keyId);
  if (signature.ok) return ok(`${signingInput}.${signature.value}`);
  report(ports, invocation, signature.error);
  return signature;
}

function report(ports: SignaturePorts, { requestId }: Invocation, { detail }: Unavailable): void {
  ports.log({ level: 'error', event: 'signing_failed', request_id: requestId, detail });
}
