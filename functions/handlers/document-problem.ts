import type { IdempotencyConflict, InvalidCursor, NotFound, ReadOnly } from '../core/context-ports.ts';
import type { Unavailable } from '../core/ports.ts';
import type { UploadRefusal } from './document-upload.ts';
import { problem } from './problem.ts';

/** Everything for which a document operation can fail. */
export type DocumentFailure =
  | NotFound
  | ReadOnly
  | IdempotencyConflict
  | InvalidCursor
  | UploadRefusal
  | Unavailable;

const CONFLICTS = {
  reused: 'this `Idempotency-Key` came with another document before',
  gone: 'the document of this `Idempotency-Key` was deleted',
} as const;

/** The RFC 9457 answer to a failure. Does NOT log what `unavailable` tells the operator. */
export function toDocumentProblem(failure: DocumentFailure, requestId: string): Response {
  switch (failure.reason) {
    case 'not_found':
      return problem('not_found', 'there is no such document', requestId);
    case 'read_only':
      return problem('permission_denied', 'this token may only read', requestId);
    case 'idempotency_conflict':
      return problem('conflict', CONFLICTS[failure.cause], requestId);
    case 'invalid_cursor':
      return problem('invalid_argument', '`cursor` is not one of this query', requestId);
    case 'invalid_argument':
      return problem('invalid_argument', failure.message, requestId);
    case 'too_large':
      return problem('payload_too_large', 'a document has at most 4 MiB, a request 4.5 MB', requestId);
    case 'unavailable':
      return problem('unavailable', 'the context store cannot be reached; try again', requestId);
  }
}
