import type { KeySlot, OfferedKey } from '../../functions/core/key-ring.ts';
import type { KeyPurpose } from '../../functions/core/signed-token.ts';

/** A key as a slot offers it, by its name: `issuer A1`. Its public half is told apart and verifies nothing. */
export function offered(name: string): OfferedKey {
  const [, purposeName, slot, generation] = /^(issuer|identity) ([AB])(\d+)$/.exec(name) ?? [];
  const purpose: KeyPurpose = purposeName === 'identity' ? 'identity' : 'access';
  if (slot !== 'A' && slot !== 'B') throw new Error(`no key is named ${name}`);
  const found: KeySlot = slot;
  const keyId = `${purposeName}-${slot}${generation}`;
  return {
    keyId,
    purpose,
    slot: found,
    generation: Number(generation),
    source: `arn ${keyId}`,
    n: 'n',
    e: 'AQAB',
  };
}
