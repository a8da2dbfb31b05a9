import { randomBytes } from 'node:crypto';
import { DOCUMENT_ID_RANDOM_BYTES, toDocumentId } from '../../functions/core/documents/document.ts';
import type { ContextCaller, NewDocument, Seal } from '../../functions/core/documents/ports.ts';
import { Sealer } from '../../functions/core/seal.ts';

/** The second at which a test's clock stands. */
export const NOW_SECONDS = 1_800_000_000;

/** A caller of `acme`'s namespace `proj` who may write; a test changes what it is about. */
export function contextCaller(
  changes: Partial<Omit<ContextCaller, 'scopeFilters'>> & {
    readonly scopeFilters?: Record<string, string>;
  } = {},
): ContextCaller {
  return {
    orgId: 'acme',
    namespace: 'proj',
    permissions: 'write',
    callerKey: 'agent-1',
    ...changes,
    scopeFilters: new Map(Object.entries(changes.scopeFilters ?? {})),
  };
}

/** A text document with a fresh id; a test changes what it is about. */
export function newDocument(
  filename: string,
  changes: Partial<Omit<NewDocument, 'description'>> & { readonly tags?: readonly string[] } = {},
): NewDocument {
  const { tags = [], ...rest } = changes;
  return {
    id: toDocumentId(NOW_SECONDS, randomBytes(DOCUMENT_ID_RANDOM_BYTES)),
    nowSeconds: NOW_SECONDS,
    description: { filename, contentType: 'text/plain', tags, metadata: new Map() },
    content: new TextEncoder().encode(`content of ${filename}`),
    idempotencyKey: undefined,
    ...rest,
  };
}

/** The real sealer, for cursors, with a secret of its own. */
export function cursorSeal(): Seal {
  const sealer = new Sealer([randomBytes(32).toString('hex')]);
  return {
    seal: (plaintext, context) => sealer.seal('cursor', context, plaintext, randomBytes(12)),
    open: (sealed, context) => sealer.open('cursor', context, sealed),
  };
}
