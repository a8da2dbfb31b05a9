import type { SecretFailure, SecretStore, SecretVersion } from '../core/ports.ts';
import type { Result } from '../core/result.ts';
import { Sealer } from '../core/seal.ts';

type Held = { readonly currentId: string; readonly previousId: string | undefined; readonly sealer: Sealer };

/**
 * The sealer over the deployment's sealing secret: its current version seals, its previous one still opens. Undefined where the
 * current one cannot be read, and where nobody can say just now whether there is a previous one: what that has sealed would be taken for a
 * forgery. A missing previous version is the ordinary case, and one that may not be read opens nothing. How long the store bridges an
 * outage is how long a previous version opens that was there.
 */
export function createSealerSource(secrets: SecretStore, name: string): () => Promise<Sealer | undefined> {
  let held: Held | undefined;
  const readPrevious = (fresh: boolean) => secrets.read(name, { stage: 'AWSPREVIOUS', fresh });
  return async () => {
    const [current, seen] = await Promise.all([secrets.read(name), readPrevious(false)]);
    if (!current.ok) return undefined;
    const { versionId: currentId, value } = current.value;
    const isRotated = held !== undefined && held.currentId !== currentId;
    // What is known of it may be from before the rotation.
    const isOfBefore = isRotated && !(seen.ok && seen.value.versionId === held?.currentId);
    const previous = isOfBefore ? await readPrevious(true) : seen;
    if (isOfBefore && isOlder(previous, current.value)) return undefined;
    if (!previous.ok && previous.error.reason === 'unavailable') {
      // One that there was may have been out of reach for as long as it may be bridged; that there is none changes by a rotation alone.
      return held?.currentId === currentId && held.previousId === undefined ? held.sealer : undefined;
    }
    const previousId = previous.ok ? previous.value.versionId : undefined;
    if (held?.currentId !== currentId || held.previousId !== previousId) {
      const live = previous.ok ? [value, previous.value.value] : [value];
      held = { currentId, previousId, sealer: new Sealer(live.map((secret) => secret.reveal())) };
    }
    return held.sealer;
  };
}

/** Was it read before this one? It is then what an outage is bridged with, or what was looked at a moment ago. */
function isOlder(
  previous: Result<SecretVersion, SecretFailure>,
  { readAtSeconds = 0 }: SecretVersion,
): boolean {
  return previous.ok && (previous.value.readAtSeconds ?? Infinity) < readAtSeconds;
}
