import type { InvalidArgument } from '../core/documents/input.ts';
import type {
  CascadeTooLarge,
  IdempotencyConflict,
  InvalidCursor,
  NotFound,
  PartitionExists,
  ReadOnly,
  RelationConflict,
  TooLarge,
} from '../core/documents/ports.ts';
import type { VersionConflict } from '../core/documents/precondition.ts';
import type { NotText, RangeBeyondEnd } from '../core/documents/range.ts';
import type { Unavailable } from '../core/ports.ts';
import { type ProblemCode, problem } from './problem.ts';

/** Everything for which a document operation can fail. */
export type DocumentFailure =
  | NotFound
  | ReadOnly
  | IdempotencyConflict
  | VersionConflict
  | RelationConflict
  | CascadeTooLarge
  | PartitionExists
  | { readonly reason: 'partition_reserved' }
  | InvalidCursor
  | InvalidArgument
  | NotText
  | RangeBeyondEnd
  | TooLarge
  | Unavailable;

const CONFLICTS = {
  reused: 'this `Idempotency-Key` came with another document before',
  gone: 'the document of this `Idempotency-Key` was deleted, or its time is over',
} as const;

const RELATION_CONFLICTS = {
  exists: 'these documents have such a relation already',
  too_many: 'one of these documents has as many relations as it may have',
} as const;

/** The `code` of each failure (contract §10). */
const CODES = {
  not_found: 'not_found',
  read_only: 'permission_denied',
  idempotency_conflict: 'conflict',
  version_conflict: 'conflict',
  relation_conflict: 'conflict',
  cascade_too_large: 'conflict',
  partition_exists: 'conflict',
  partition_reserved: 'permission_denied',
  invalid_cursor: 'invalid_argument',
  invalid_argument: 'invalid_argument',
  not_text: 'invalid_argument',
  range_beyond_end: 'invalid_argument',
  too_large: 'payload_too_large',
  unavailable: 'unavailable',
} as const satisfies Record<DocumentFailure['reason'], ProblemCode>;

/** The RFC 9457 answer to a failure. Does NOT log what `unavailable` tells the operator. */
export function toDocumentProblem(failure: DocumentFailure, requestId: string): Response {
  const code = CODES[failure.reason];
  if (failure.reason !== 'range_beyond_end') return problem(code, toFailureText(failure), requestId);
  const headers = { 'x-total-chars': String(failure.totalChars) };
  return problem(code, toFailureText(failure), requestId, headers, 416);
}

/** What a caller, or its model, is told of a failure. */
export function toFailureText(failure: DocumentFailure): string {
  switch (failure.reason) {
    case 'not_found':
      return 'there is no such document, relation or partition';
    case 'read_only':
      return 'this token may only read';
    case 'idempotency_conflict':
      return CONFLICTS[failure.cause];
    case 'version_conflict':
      return 'the document was changed meanwhile; read it again and repeat the change on what it is now';
    case 'relation_conflict':
      return RELATION_CONFLICTS[failure.cause];
    case 'cascade_too_large':
      return 'too many documents are under this one; delete some of them first';
    case 'partition_exists':
      return 'there is such a partition already';
    case 'partition_reserved':
      return 'this partition is nobody’s to delete';
    case 'invalid_cursor':
      return '`cursor` is not one of this query';
    case 'invalid_argument':
      return failure.message;
    case 'not_text':
      return 'this document is not text, so it has no characters to read or edit by';
    case 'range_beyond_end':
      return `\`offset\` is beyond the end: the text has ${failure.totalChars} characters`;
    case 'too_large':
      return 'a document has at most 4 MiB, a request 4.5 MB';
    case 'unavailable':
      return 'the context store cannot be reached; try again in a few seconds';
  }
}
