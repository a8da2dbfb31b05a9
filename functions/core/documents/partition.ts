import { ok, type Result } from '../result.ts';
import { isNamespace } from '../visibility.ts';
import { DOCUMENT_BOUNDS, type InvalidArgument, isIntegerIn, parseFields, refuse } from './input.ts';

/** A namespace that was registered by name. Namespaces work without that; a partition is listed, and may say how long documents live. */
export type Partition = {
  readonly name: string;
  readonly createdAtSeconds: number;
  /** Of documents that are created in it without a lifetime of their own; null for ever. */
  readonly ttlSeconds: number | null;
};

/** A partition as administrators see it. */
export type WirePartition = {
  readonly name: string;
  readonly created_at: string;
  readonly ttl_seconds: number | null;
};

/** Names that stand for what is in no partition, wherever documents came from: nobody registers or deletes them. */
const RESERVED: ReadonlySet<string> = new Set(['_global', 'default']);

/** Is this name nobody's to register or delete? */
export function isReservedPartition(name: string): boolean {
  return RESERVED.has(name);
}

/** Parses `{name, ttl_seconds?}`. */
export function parsePartition(input: unknown): Result<Omit<Partition, 'createdAtSeconds'>, InvalidArgument> {
  const fields = parseFields(input, ['name', 'ttl_seconds']);
  if (!fields.ok) return fields;
  const { name, ttl_seconds: ttlSeconds = null } = fields.value;
  if (typeof name === 'string' && isReservedPartition(name)) return refuse('name', 'is reserved');
  if (typeof name !== 'string' || !isNamespace(name)) {
    return refuse(
      'name',
      'must be 1 to 128 letters, digits, `.`, `_`, `:`, `@`, `-`, the first a letter or digit',
    );
  }
  if (ttlSeconds !== null && !isIntegerIn(ttlSeconds, 1, DOCUMENT_BOUNDS.ttlSeconds)) {
    return refuse('ttl_seconds', `must be a whole number from 1 to ${DOCUMENT_BOUNDS.ttlSeconds}, or null`);
  }
  return ok({ name, ttlSeconds });
}

/** The partition as administrators see it. */
export function toWirePartition({ name, createdAtSeconds, ttlSeconds }: Partition): WirePartition {
  return { name, created_at: new Date(createdAtSeconds * 1000).toISOString(), ttl_seconds: ttlSeconds };
}
