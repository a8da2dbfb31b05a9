import { createHash } from 'node:crypto';
import { parseClientIdUrl } from '../core/client-id.ts';
import type { ClientMetadata } from '../core/client-metadata.ts';
import { NO_ORG } from '../core/open-client.ts';
import type { Counter, RecordKey, RecordStore, Unavailable, Upstream } from '../core/ports.ts';
import type { RateLimit, RateLimited } from '../core/rate-limit.ts';
import { err, ok, type Result } from '../core/result.ts';
import { networkOf } from '../core/source-network.ts';
import { type FetchedDocument, fetchDocument, type NoDocument } from './client-document-fetch.ts';
import { countOne } from './rate-counter.ts';

/** Clients by the document that their id is the URL of. */
export type ClientDocuments = {
  /** Undefined where there is no document that holds; `unavailable` where its host did not answer. */
  read(
    clientId: string,
    options: { readonly allowPrivate: boolean; readonly sourceIp: string },
  ): Promise<Result<ClientMetadata | undefined, Unavailable>>;
};

/** How long one serves beyond that while its host does not answer, and how often the host is asked meanwhile. */
const STALE_SECONDS = 3_600;
const RETRY_SECONDS = 30;
const MAX_DOCUMENTS = 500;
/** First looks at one host, counted before they are made: whoever makes up client ids sends no flood there through us. */
const FIRST_LOOKS: RateLimit = { name: 'client-document', max: 60, windowSeconds: 60 };
/** Those for one network, counted before: nobody alone uses up the looks at a host for everybody. */
const FIRST_LOOKS_FROM: RateLimit = { name: 'client-document-from', max: 20, windowSeconds: 60 };
/** How long it is remembered, beyond one process, that a document held: looks at it are not counted. */
const HELD_ONCE_SECONDS = 7 * 86_400;

type Held = {
  readonly metadata: ClientMetadata;
  readonly freshUntilSeconds: number;
  readonly servesUntilSeconds: number;
};
/**
 * Client ID metadata documents (draft-ietf-oauth-client-id-metadata-document) through the guarded client: no redirect, no special-use
 * address, status 200, JSON of 10 KB at most, `client_id` equal to the URL character by character, 5 s in all. A document that holds serves
 * for its `max-age`, from one minute to a day, 5 minutes where it says nothing, and an hour longer while its host does not answer; what does
 * not hold is never kept, and ends what held before. One look at a time for one document. At documents that have not held within 7 days
 * there are 60 looks at a host in a minute and 20 from a network, counted before they are made; at those that have, as many as are asked for.
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
  const looks = new Map<string, Promise<Result<FetchedDocument, NoDocument>>>();
  const nowSeconds = () => Math.floor(ports.now() / 1000);

  const look = async (
    url: URL,
    allowPrivate: boolean,
    isKnown: boolean,
    sourceIp: string,
  ): Promise<Result<FetchedDocument, NoDocument>> => {
    const key = heldOnceKey(url);
    const heldOnce = isKnown ? undefined : await ports.records.read(key);
    if (heldOnce?.ok === false) return err({ reason: 'unavailable', detail: heldOnce.error.detail });
    const isFirst = heldOnce !== undefined && heldOnce.value === undefined;
    if (isFirst) {
      const own = await countOne(ports, FIRST_LOOKS_FROM, [networkOf(sourceIp)]);
      const counted = own.ok ? await countOne(ports, FIRST_LOOKS, [url.host]) : own;
      if (!counted.ok) return err({ reason: 'unavailable', detail: detailOf(counted.error) });
    }
    const fetched = await fetchDocument(ports.upstream, url, allowPrivate);
    // Whether that is kept decides nothing but whether the next look is counted.
    if (fetched.ok && isFirst) await ports.records.create(key, 'held', nowSeconds() + HELD_ONCE_SECONDS);
    return fetched;
  };

  return {
    async read(clientId, { allowPrivate, sourceIp }) {
      const url = parseClientIdUrl(clientId, allowPrivate);
      if (!url.ok) return ok(undefined);
      const key = JSON.stringify([clientId, allowPrivate]);
      const known = held.get(key);
      if (known !== undefined && nowSeconds() < known.freshUntilSeconds) return ok(known.metadata);
      const underWay =
        looks.get(key) ??
        look(url.value, allowPrivate, known !== undefined, sourceIp).finally(() => looks.delete(key));
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
