import { USER_AGENT } from '../core/forward.ts';
import { isFresh } from '../core/freshness.ts';
import { parseJson } from '../core/json.ts';
import { readJwks } from '../core/jwks.ts';
import { parseUpstreamUrl } from '../core/perimeter.ts';
import type { Clock, ForeignKey, ForeignKeys, Unavailable, Upstream } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { discard, readStream } from './body.ts';
import { maxAgeOf } from './max-age.ts';

/** How long keys serve without another look, unless their owner says less. */
const FRESH_SECONDS = 600;
/** How long they serve while their owner cannot be reached, counted from the last time that they came. */
const STALE_SECONDS = 3_600;
/** A key id that is unknown asks for a look at most this often per set, and no set is looked at more often than this without need. */
const COOL_DOWN_SECONDS = 30;
/** After a look that failed, when the next one may be. */
const RETRY_SECONDS = 5;
const MAX_SETS = 500;
const MAX_SET_BYTES = 65_536;
const TIMEOUT = { connectMs: 3_000, firstByteMs: 5_000, silenceMs: 5_000, callMs: 5_000 } as const;

/** One set as it came last, and the last look for it. */
type Held = {
  readonly keys: readonly ForeignKey[];
  readonly cameAtSeconds: number;
  readonly freshSeconds: number;
};
type Look = { readonly atSeconds: number; readonly failure: Unavailable | undefined };
type Entry = { held: Held | undefined; look: Look | undefined; underWay: Promise<void> | undefined };

/**
 * Foreign keys through the guarded client: https alone unless the set may be private, no redirect, 64 KB, 5 s in all. Per set: fresh for
 * 10 minutes or for its `max-age` where that is less (30 s at least), an hour during an outage, one look at a time, and for an unknown
 * key id one look in 30 s. What serves during an outage is what is held; a key id that is not in it is then `unavailable`, not unknown.
 */
export function createForeignKeys(ports: {
  readonly upstream: Upstream;
  readonly clock: Clock;
}): ForeignKeys {
  const entries = new Map<string, Entry>();

  const lookUp = async (entry: Entry, jwksUri: string, allowPrivate: boolean): Promise<void> => {
    const atSeconds = ports.clock();
    const fetched = await fetchSet(ports.upstream, jwksUri, allowPrivate);
    entry.look = { atSeconds, failure: fetched.ok ? undefined : fetched.error };
    if (!fetched.ok) return;
    const { keys, maxAgeSeconds } = fetched.value;
    const freshSeconds = Math.max(COOL_DOWN_SECONDS, Math.min(FRESH_SECONDS, maxAgeSeconds ?? FRESH_SECONDS));
    entry.held = { keys, cameAtSeconds: atSeconds, freshSeconds };
  };

  return {
    async find(jwksUri, keyId, { allowPrivate }) {
      const entry = entryOf(entries, JSON.stringify([jwksUri, allowPrivate]));
      if (needsLook(entry, keyId, ports.clock())) {
        entry.underWay ??= lookUp(entry, jwksUri, allowPrivate).finally(() => {
          entry.underWay = undefined;
        });
        await entry.underWay;
      }
      const { held, look } = entry;
      if (held === undefined || !isFresh(held.cameAtSeconds, STALE_SECONDS, ports.clock())) {
        return err(look?.failure ?? unavailable(jwksUri, 'no keys'));
      }
      const found = matching(held.keys, keyId);
      return found.length === 0 && look?.failure !== undefined ? err(look.failure) : ok(found);
    },
  };
}

function needsLook({ held, look }: Entry, keyId: string | undefined, nowSeconds: number): boolean {
  const hasLooked = (withinSeconds: number) =>
    look !== undefined && isFresh(look.atSeconds, withinSeconds, nowSeconds);
  if (look?.failure !== undefined && hasLooked(RETRY_SECONDS)) return false;
  if (held === undefined || !isFresh(held.cameAtSeconds, held.freshSeconds, nowSeconds)) return true;
  return matching(held.keys, keyId).length === 0 && !hasLooked(COOL_DOWN_SECONDS);
}

function matching(keys: readonly ForeignKey[], keyId: string | undefined): readonly ForeignKey[] {
  return keyId === undefined ? keys : keys.filter((key) => key['kid'] === keyId);
}

/** Least recently used out first; one that is being looked at stays, or its answer would have nowhere to go. */
function entryOf(entries: Map<string, Entry>, key: string): Entry {
  const entry = entries.get(key) ?? { held: undefined, look: undefined, underWay: undefined };
  entries.delete(key);
  entries.set(key, entry);
  for (const [oldest, { underWay }] of entries) {
    if (entries.size <= MAX_SETS) break;
    if (underWay === undefined && oldest !== key) entries.delete(oldest);
  }
  return entry;
}

async function fetchSet(
  upstream: Upstream,
  jwksUri: string,
  allowPrivate: boolean,
): Promise<Result<{ keys: readonly ForeignKey[]; maxAgeSeconds: number | undefined }, Unavailable>> {
  const fail = (detail: string) => err(unavailable(jwksUri, detail));
  const url = parseUpstreamUrl(jwksUri, allowPrivate);
  if (!url.ok) return fail(url.error);
  const answer = await upstream.send({
    url: url.value,
    method: 'GET',
    headers: new Map([
      ['accept', 'application/jwk-set+json, application/json'],
      ['user-agent', USER_AGENT],
    ]),
    body: undefined,
    allowPrivate,
    isolationKey: 'foreign-keys',
    timeout: TIMEOUT,
    signal: new AbortController().signal,
  });
  if (!answer.ok) return fail(`${answer.error.reason}: ${answer.error.detail}`);
  const { status, headers, body } = answer.value;
  if (status !== 200 || (headers.get('content-encoding') ?? 'identity') !== 'identity') {
    await discard(body);
    return fail(status === 200 ? 'an encoded answer' : `status ${status}`);
  }
  const bytes = await readStream(body, MAX_SET_BYTES).catch(() => undefined);
  if (bytes === undefined) return fail('cut off, too slow, or more than 64 KB');
  const parsed = parseJson(bytes);
  const keys = parsed.ok ? readJwks(parsed.value) : undefined;
  if (keys === undefined) return fail('no JWK set');
  return ok({ keys, maxAgeSeconds: maxAgeOf(headers.get('cache-control')) });
}

function unavailable(jwksUri: string, detail: string): Unavailable {
  return { reason: 'unavailable', detail: `the keys at ${jwksUri}: ${detail}` };
}
