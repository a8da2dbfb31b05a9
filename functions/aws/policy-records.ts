import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Snapshot } from '../core/policy.ts';
import type { PolicyPointer, PolicyWriting, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { batchGet, type Dynamo, type Item, readNumber, readString } from './dynamodb.ts';

const CHUNK_CHARACTERS = 350_000;
/** What these functions obey all of (core/configuration/snapshot-format). */
const FORMATS: ReadonlySet<number> = new Set([1, 2, 3] satisfies readonly Snapshot['format'][]);

/** The key of the pointer to the running policy. */
export const POINTER_KEY: Item = { pk: { S: 'POLICY' }, sk: { S: 'POINTER' } };

/** How the keys of versions begin that another one has followed. */
export const HISTORY_PREFIX = 'H#';

/** A snapshot as it is stored, and the hash by which a pointer names it. */
export type PackedSnapshot = { readonly text: string; readonly contentHash: string; readonly chunks: number };

/** Packs a snapshot: gzip in base64, cut into chunks that fit an item of DynamoDB (400 KB). */
export function packSnapshot(snapshot: Snapshot): PackedSnapshot {
  const text = gzipSync(JSON.stringify(snapshot)).toString('base64');
  return { text, contentHash: sha256(text), chunks: Math.ceil(text.length / CHUNK_CHARACTERS) };
}

/** The items of a packed snapshot. Their keys hold its hash, so those of a lost race stand beside the winner's. */
export function toChunks(pointer: PolicyPointer, { text }: PackedSnapshot): readonly Item[] {
  return Array.from({ length: pointer.chunks }, (_, index) => ({
    ...chunkKey(pointer, index),
    body: { S: text.slice(index * CHUNK_CHARACTERS, (index + 1) * CHUNK_CHARACTERS) },
  }));
}

/** Reads the snapshot behind a pointer; `unavailable` where it is not whole. */
export async function readSnapshot(
  dynamo: Dynamo,
  table: string,
  pointer: PolicyPointer,
): Promise<Result<Snapshot, Unavailable>> {
  const keys = Array.from({ length: pointer.chunks }, (_, index) => chunkKey(pointer, index));
  const answer = await batchGet(dynamo, table, keys);
  if (!answer.ok) return answer;
  const bySortKey = new Map(answer.value.map((item) => [readString(item, 'sk'), readString(item, 'body')]));
  const text = keys.map((key) => bySortKey.get(readString(key, 'sk')) ?? '').join('');
  if (sha256(text) !== pointer.contentHash) return unavailable('the policy snapshot does not match its hash');
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: we wrote it, and its hash says that it is what we wrote
  const snapshot = JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString()) as Snapshot;
  return FORMATS.has(snapshot.format)
    ? ok(snapshot)
    : unavailable('the policy snapshot is of an unknown format');
}

/** Where a version is noted that another one has followed. */
export function historyKey(version: number): Item {
  return { pk: { S: 'POLICY' }, sk: { S: `${HISTORY_PREFIX}${padded(version)}` } };
}

/** The pointer as an item: of what runs, or under the key of its version. */
export function toPointerItem(pointer: PolicyPointer, key: Item = POINTER_KEY): Item {
  const { written } = pointer;
  return {
    ...key,
    version: { N: String(pointer.version) },
    chunks: { N: String(pointer.chunks) },
    source: { S: pointer.source },
    content_hash: { S: pointer.contentHash },
    ...(pointer.deployedHash === undefined ? {} : { deployed_hash: { S: pointer.deployedHash } }),
    ...(written === undefined ? {} : { at: { N: String(written.atSeconds) } }),
    ...(written?.restored === undefined ? {} : { restored: { N: String(written.restored) } }),
    ...(written?.by === undefined
      ? {}
      : { by_client: { S: written.by.clientId }, by_subject: { S: written.by.subject } }),
  };
}

/** Reads a pointer; undefined where it is absent or malformed. */
export function parsePointer(item: Item | undefined): PolicyPointer | undefined {
  if (item === undefined) return undefined;
  const version = readNumber(item, 'version');
  const chunks = readNumber(item, 'chunks');
  const contentHash = readString(item, 'content_hash');
  const source = readString(item, 'source');
  if (version === undefined || chunks === undefined || contentHash === undefined) return undefined;
  if (source !== 'deploy' && source !== 'apply' && source !== 'dev') return undefined;
  const deployedHash = readString(item, 'deployed_hash') ?? (source === 'deploy' ? contentHash : undefined);
  const written = parseWriting(item);
  const pointer: PolicyPointer = { version, chunks, contentHash, source, deployedHash };
  return written === undefined ? pointer : { ...pointer, written };
}

function parseWriting(item: Item): PolicyWriting | undefined {
  const atSeconds = readNumber(item, 'at');
  if (atSeconds === undefined) return undefined;
  const clientId = readString(item, 'by_client');
  const subject = readString(item, 'by_subject');
  const restored = readNumber(item, 'restored');
  return {
    atSeconds,
    ...(clientId === undefined || subject === undefined ? {} : { by: { clientId, subject } }),
    ...(restored === undefined ? {} : { restored }),
  };
}

function chunkKey({ version, contentHash }: PolicyPointer, index: number): Item {
  const parts = ['V', padded(version), contentHash.slice(0, 16), String(index).padStart(3, '0')];
  return { pk: { S: 'POLICY' }, sk: { S: parts.join('#') } };
}

/** In the order of numbers where keys are in the order of texts. */
function padded(version: number): string {
  return String(version).padStart(10, '0');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function unavailable(detail: string): Result<never, Unavailable> {
  return err({ reason: 'unavailable', detail });
}
