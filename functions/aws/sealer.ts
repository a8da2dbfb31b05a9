import type { SecretStore } from '../core/ports.ts';
import { Sealer } from '../core/seal.ts';

/**
 * The sealer over the deployment's sealing secret: its current version seals, its previous one still opens. Undefined where the
 * current one cannot be read; a missing previous version is the ordinary case.
 */
export function createSealerSource(secrets: SecretStore, name: string): () => Promise<Sealer | undefined> {
  let held: { readonly versions: string; readonly sealer: Sealer } | undefined;
  return async () => {
    const [current, previous] = await Promise.all([
      secrets.read(name),
      secrets.read(name, { stage: 'AWSPREVIOUS' }),
    ]);
    if (!current.ok) return undefined;
    const versions = `${current.value.versionId} ${previous.ok ? previous.value.versionId : ''}`;
    if (held?.versions !== versions) {
      const live = previous.ok ? [current.value, previous.value] : [current.value];
      held = { versions, sealer: new Sealer(live.map(({ value }) => value.reveal())) };
    }
    return held.sealer;
  };
}
