import { createHash } from 'node:crypto';
import { parseClientIdUrl } from '../core/client-id.ts';
import { type ClientMetadata, parseClientMetadata } from '../core/client-metadata.ts';
import { USER_AGENT } from '../core/forward.ts';
import { isJsonObject, parseJson } from '../core/json.ts';
import { NO_ORG } from '../core/open-client.ts';
import type {
  Counter,
  RecordKey,
  RecordStore,
  Unavailable,
  Upstream,
  UpstreamResponse,
} from '../core/ports.ts';
import type { RateLimit } from '../core/rate-limit.ts';
import { err, ok, type Result } from '../core/result.ts';
import { discard, readStream } from './body.ts';
import { maxAgeOf } from './max-age.ts';
import { countOne, type RateLimited } from './rate-counter.ts';

/** Clients by the document that their id is the URL of. */
export type ClientDocuments = {
  /** Undefined where there is no document that holds; `unavailable` where its host did not answer. */
  read(
    clientId: string,
    options: { readonly allowPrivate: boolean },
  ): Promise<Result<ClientMetadata | undefined, Unavailable>>;
};

/** How long a document serves where it says nothing, and the bounds of what it may say. */
const FRESH_SECONDS = 300;
const MIN_FRESH_SECONDS = 60;
const MAX_FRESH_SECONDS = 86_400;
/** How long one serves beyond that while its host does not answer, and how often the host is asked meanwhile. */
const STALE_SECONDS = 3_600;
const RETRY_SECONDS = 30;
const MAX_DOCUMENTS = 500;
/** The draft recommends 5 KB; documents of the field have a logo too. */
const MAX_BYTES = 10_240;
const JSON_BOUNDS = { maxDepth: 16, maxValues: 2_000, caseVariants: 'refuse' } as const;
const TIMEOUT = { connectMs: 3_000, firstByteMs: 5_000, silenceMs: 5_000, callMs: 5_000 } as const;
/** First looks at one host, counted before they are made: whoever makes up client ids sends no flood there through us. */
const FIRST_LOOKS: RateLimit = { name: 'client-document', max: 60, windowSeconds: 60 };
/** How long it is remembered, beyond one process, that a document held: looks at it are not counted. */
const HELD_ONCE_SECONDS = 7 * 86_400;

type Held = {
  readonly metadata: ClientMetadata;
  readonly freshUntilSeconds: number;
  readonly servesUntilSeconds: number;
};
type Fetched = { readonly metadata: ClientMetadata; readonly freshSeconds: number };
/** `refused`: there is no such client. `unavailable`: nobody knows. */
type NoDocument = { readonly reason: 'refused' | 'unavailable'; readonly detail: string };

/**
 * Client ID metadata documents (draft-ietf-oauth-client-id-metadata-document) through the guarded client: no redirect, no special-use
 * address, status 200, JSON of 10 KB at most, `client_id` equal to the URL character by character, 5 s in all. A document that holds serves
 * for its `max-age`, from one minute to a day, 5 minutes where it says nothing, and an hour longer while its host does not answer; what does
 * not hold is never kept, and ends what held before. One look at a time for one document. A host has 60 looks
 * in a minute at documents that have not held within 7 days, counted before they are made; those that have are always looked at.
 */
export function createClientDocuments(ports: {
  readonly upstream: Upstream;
  readonly records: RecordStore;
  readonly counter: Counter;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
}): ClientDocuments {
  const held = new Map<string, Held>();
  const looks = new Map<string, Promise<Result<Fetched, NoDocument>>>();
  const nowSeconds = () => Math.floor(ports.now() / 1000);

  const look = async (
    url: URL,
    allowPrivate: boolean,
    isKnown: boolean,
  ): Promise<Result<Fetched, NoDocument>> => {
    const key = heldOnceKey(url);
    const heldOnce = isKnown ? undefined : await ports.records.read(key);
    if (heldOnce?.ok === false) return err({ reason: 'unavailable', detail: heldOnce.error.detail });
    const isFirst = heldOnce !== undefined && heldOnce.value === undefined;
    if (isFirst) {
      const counted = await countOne(ports, FIRST_LOOKS, [url.host]);
      if (!counted.ok) return err({ reason: 'unavailable', detail: detailOf(counted.error) });
    }
    const fetched = await fetchDocument(ports.upstream, url, allowPrivate);
    // Whether that is kept decides nothing but whether the next look is counted.
    if (fetched.ok && isFirst) await ports.records.create(key, 'held', nowSeconds() + HELD_ONCE_SECONDS);
    return fetched;
  };

  return {
    async read(clientId, { allowPrivate }) {
      const url = parseClientIdUrl(clientId, allowPrivate);
      if (!url.ok) return ok(undefined);
      const key = JSON.stringify([clientId, allowPrivate]);
      const known = held.get(key);
      if (known !== undefined && nowSeconds() < known.freshUntilSeconds) return ok(known.metadata);
      const underWay =
        looks.get(key) ?? look(url.value, allowPrivate, known !== undefined).finally(() => looks.delete(key));
      looks.set(key, underWay);
      const fetched = await underWay;
      if (fetched.ok) {
        const { metadata, freshSeconds } = fetched.value;
        const freshUntilSeconds = nowSeconds() + freshSeconds;
        keep(held, key, {
          metadata,
          freshUntilSeconds,
          servesUntilSeconds: freshUntilSeconds + STALE_SECONDS,
        });
        return ok(metadata);
      }
      const { reason, detail } = fetched.error;
      ports.log({ level: 'warn', event: 'client_document_refused', client_id: clientId, detail });
      if (reason === 'refused') {
        held.delete(key);
        return ok(undefined);
      }
      if (known !== undefined && nowSeconds() < known.servesUntilSeconds) {
        keep(held, key, { ...known, freshUntilSeconds: nowSeconds() + RETRY_SECONDS });
        return ok(known.metadata);
      }
      return err({ reason, detail: `the document ${clientId}: ${detail}` });
    },
  };
}

function detailOf(refusal: Unavailable | RateLimited): string {
  return refusal.reason === 'rate_limited' ? 'rate_limited' : refusal.detail;
}

function heldOnceKey(url: URL): RecordKey {
  const digest = createHash('sha256').update(url.href).digest('base64url');
  return { kind: 'CLIENT', orgId: NO_ORG, id: `document.${digest}` };
}

/** The oldest out first. */
function keep(held: Map<string, Held>, key: string, document: Held): void {
  held.delete(key);
  held.set(key, document);
  for (const oldest of held.keys()) {
    if (held.size <= MAX_DOCUMENTS) break;
    held.delete(oldest);
  }
}

async function fetchDocument(
  upstream: Upstream,
  url: URL,
  allowPrivate: boolean,
): Promise<Result<Fetched, NoDocument>> {
  const answer = await upstream.send({
    url,
    method: 'GET',
    headers: new Map([
      ['accept', 'application/json'],
      ['user-agent', USER_AGENT],
    ]),
    body: undefined,
    allowPrivate,
    isolationKey: 'client-documents',
    timeout: TIMEOUT,
    signal: new AbortController().signal,
  });
  if (!answer.ok) {
    const { reason, detail } = answer.error;
    const isFinal = reason === 'refused_address' || reason === 'redirect';
    return err({ reason: isFinal ? 'refused' : 'unavailable', detail: `${reason}: ${detail}` });
  }
  const refusal = refusalOf(answer.value);
  if (refusal !== undefined) {
    await discard(answer.value.body);
    return err(refusal);
  }
  const bytes = await readStream(answer.value.body, MAX_BYTES).catch(() => 'broken' as const);
  if (bytes === 'broken') return err({ reason: 'unavailable', detail: 'cut off, or too slow' });
  if (bytes === undefined) return refuse('more than 10 KB');
  const metadata = parseDocument(bytes, url.href, allowPrivate);
  if (!metadata.ok) return metadata;
  const maxAgeSeconds = maxAgeOf(answer.value.headers.get('cache-control')) ?? FRESH_SECONDS;
  const freshSeconds = Math.min(MAX_FRESH_SECONDS, Math.max(MIN_FRESH_SECONDS, maxAgeSeconds));
  return ok({ metadata: metadata.value, freshSeconds });
}

/** A host that is ill says nothing of its documents; any other answer than a whole JSON document says that there is none. */
function refusalOf({ status, headers }: UpstreamResponse): NoDocument | undefined {
  if (status >= 500 || status === 429) return { reason: 'unavailable', detail: `status ${status}` };
  if (status !== 200) return { reason: 'refused', detail: `status ${status}` };
  const [type = ''] = (headers.get('content-type') ?? '').toLowerCase().split(';');
  if (!/^application\/(?:[a-z0-9.-]+\+)?json$/.test(type.trim())) {
    return { reason: 'refused', detail: 'its content type is not JSON' };
  }
  return (headers.get('content-encoding') ?? 'identity') === 'identity'
    ? undefined
    : { reason: 'refused', detail: 'an encoded answer' };
}

function parseDocument(
  bytes: Uint8Array,
  clientId: string,
  allowPrivate: boolean,
): Result<ClientMetadata, NoDocument> {
  const parsed = parseJson(bytes, JSON_BOUNDS);
  if (!parsed.ok) return refuse(`no strict JSON: ${parsed.error.detail}`);
  if (!isJsonObject(parsed.value)) return refuse('no JSON object');
  if (parsed.value.get('client_id') !== clientId) return refuse('its `client_id` is not its URL');
  const metadata = parseClientMetadata(parsed.value, { allowPrivate });
  return metadata.ok ? metadata : refuse(metadata.error.description);
}

function refuse(detail: string): Result<never, NoDocument> {
  return err({ reason: 'refused', detail });
}
