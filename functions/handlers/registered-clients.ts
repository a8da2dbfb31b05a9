import { type ClientMetadata, parseClientMetadata, writeClientMetadata } from '../core/client-metadata.ts';
import { isJsonObject, parseJsonText } from '../core/json.ts';
import { NO_ORG } from '../core/open-client.ts';
import type { RecordKey, RecordStore, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';

/** A client that registered itself is forgotten after this time, and registers again. */
export const REGISTRATION_SECONDS = 90 * 86_400;

/** Keeps a client that registered itself (RFC 7591). Its id is random: one that is there is our own write, whose answer was lost. */
export async function writeRegisteredClient(
  records: RecordStore,
  clientId: string,
  metadata: ClientMetadata,
  nowSeconds: number,
): Promise<Result<void, Unavailable>> {
  const text = JSON.stringify(writeClientMetadata(metadata));
  const written = await records.create(keyOf(clientId), text, nowSeconds + REGISTRATION_SECONDS);
  return written.ok || written.error.reason === 'conflict' ? ok(undefined) : err(written.error);
}

/** A client that registered itself; undefined where there is none, or none any more. */
export async function readRegisteredClient(
  records: RecordStore,
  clientId: string,
  options: { readonly allowPrivate: boolean },
): Promise<Result<ClientMetadata | undefined, Unavailable>> {
  const record = await records.read(keyOf(clientId));
  if (!record.ok) return record;
  if (record.value === undefined) return ok(undefined);
  const parsed = parseJsonText(record.value.text);
  if (!parsed.ok || !isJsonObject(parsed.value)) {
    return err({ reason: 'unavailable', detail: 'a malformed record of a registered client' });
  }
  // What was admitted once and is not any more has to be registered again.
  const metadata = parseClientMetadata(parsed.value, options);
  return ok(metadata.ok ? metadata.value : undefined);
}

function keyOf(clientId: string): RecordKey {
  return { kind: 'CLIENT', orgId: NO_ORG, id: clientId };
}
