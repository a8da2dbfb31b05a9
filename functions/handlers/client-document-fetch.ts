import { type ClientMetadata, parseClientMetadata } from '../core/client-metadata.ts';
import { USER_AGENT } from '../core/forward.ts';
import { isJsonObject, parseJson } from '../core/json.ts';
import { isOutageStatus } from '../core/outage-status.ts';
import type { Upstream, UpstreamResponse } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { discard, readStream } from './body.ts';
import { maxAgeOf } from './max-age.ts';

/** How long a document serves where it says nothing, and the bounds of what it may say. */
const FRESH_SECONDS = 300;
const MIN_FRESH_SECONDS = 60;
const MAX_FRESH_SECONDS = 86_400;
/** The draft recommends 5 KB; documents of the field have a logo too. */
const MAX_BYTES = 10_240;
const JSON_BOUNDS = { maxDepth: 16, maxValues: 2_000, caseVariants: 'refuse' } as const;
const TIMEOUT = { connectMs: 3_000, firstByteMs: 5_000, silenceMs: 5_000, callMs: 5_000 } as const;

/** A document that holds, and for how long it serves. */
export type FetchedDocument = { readonly metadata: ClientMetadata; readonly freshSeconds: number };
/** `refused`: there is no such client. `unavailable`: nobody knows. `detail` is for the log. */
export type NoDocument = { readonly reason: 'refused' | 'unavailable'; readonly detail: string };

/** Fetches one, once. Nothing is kept, and nothing counted. */
export async function fetchDocument(
  upstream: Upstream,
  url: URL,
  allowPrivate: boolean,
): Promise<Result<FetchedDocument, NoDocument>> {
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
  if (isOutageStatus(status)) return { reason: 'unavailable', detail: `status ${status}` };
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
