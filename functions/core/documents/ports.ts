import type { Unavailable } from '../ports.ts';
import type { Result } from '../result.ts';
import type { ContextScope } from '../visibility.ts';
import type { ArchiveEntry } from './archive.ts';
import type { Document, NewDescription } from './document.ts';
import type { Edit, EditOutcome } from './edit.ts';
import type { DocumentQuery, InvalidArgument } from './input.ts';
import type { Partition } from './partition.ts';
import type { Precondition, VersionConflict } from './precondition.ts';
import type { CharacterRange, NotText, RangeBeyondEnd, TextRange } from './range.ts';
import type { NewRelation, Relation, RelationNotes } from './relation.ts';
import type { RelationQuery } from './relation-page.ts';
import type { SearchAnswer, SearchRequest } from './search.ts';

/** A caller of the context store. `callerKey` is equal for no other caller; cursors and idempotency are bound to it. */
export type ContextCaller = ContextScope & { readonly callerKey: string };

/** Seals text so that it opens unchanged, unread, and in the same context only. */
export type Seal = {
  seal(plaintext: string, context: string): string;
  /** The plaintext; undefined where it was not sealed by us in this context. */
  open(sealed: string, context: string): string | undefined;
};

/** A document to be. Content of `null` makes a placeholder. */
export type NewDocument = {
  readonly id: string;
  readonly nowSeconds: number;
  readonly description: NewDescription;
  readonly content: Uint8Array | null;
  /** A second create of this caller with the same key answers with the first one's document. */
  readonly idempotencyKey: string | undefined;
};

/** One page of a list. It may be shorter than the limit and still have a next one, where few of many documents match. */
export type DocumentPage = {
  readonly documents: readonly Document[];
  readonly nextCursor: string | undefined;
};

/** There is no such document, or the caller may not know that there is. */
export type NotFound = { readonly reason: 'not_found' };

/** The caller may read and nothing else. */
export type ReadOnly = { readonly reason: 'read_only' };

/** `reused`: the key came with another document before. `gone`: the document that it made was deleted, or is over. */
export type IdempotencyConflict = {
  readonly reason: 'idempotency_conflict';
  readonly cause: 'reused' | 'gone';
};

/** The cursor is not one that this caller got for this query. */
export type InvalidCursor = { readonly reason: 'invalid_cursor' };

/** There is such a relation already, or one of the documents has as many as it may. */
export type RelationConflict = {
  readonly reason: 'relation_conflict';
  readonly cause: 'exists' | 'too_many';
};

/** More documents would go along than one delete takes. */
export type CascadeTooLarge = { readonly reason: 'cascade_too_large' };

/** What an edit would make is larger than a document may be. */
export type TooLarge = { readonly reason: 'too_large' };

/** Why a write of content is not done. */
export type WriteRefusal = NotFound | ReadOnly | VersionConflict | Unavailable;

/**
 * The documents of the context store. Every operation answers as if what the caller cannot see did not exist. What a
 * create, write, edit or delete did is durable when it resolves; nothing half-written is ever visible, and of two writes on one version
 * one is refused.
 */
export type DocumentStore = RelationStore &
  PartitionStore &
  ArchiveStore & {
    /** Does NOT check the size of the content. */
    create(
      caller: ContextCaller,
      document: NewDocument,
    ): Promise<Result<Document, ReadOnly | IdempotencyConflict | Unavailable>>;
    info(caller: ContextCaller, id: string): Promise<Result<Document, NotFound | Unavailable>>;
    read(caller: ContextCaller, id: string): Promise<Result<StoredDocument, NotFound | Unavailable>>;
    /** Reads the stored pieces that hold the range, and no others. */
    readRange(
      caller: ContextCaller,
      id: string,
      range: CharacterRange,
    ): Promise<Result<TextRange, NotFound | NotText | RangeBeyondEnd | Unavailable>>;
    /** In the order of ids, which is by age. */
    list(
      caller: ContextCaller,
      query: DocumentQuery,
    ): Promise<Result<DocumentPage, InvalidCursor | Unavailable>>;
    /** Full-text search, best first, over the documents that the caller sees. */
    search(caller: ContextCaller, request: SearchRequest): Promise<Result<SearchAnswer, Unavailable>>;
    /** Replaces the whole content. Does NOT check its size. */
    write(
      caller: ContextCaller,
      id: string,
      content: Uint8Array,
      precondition: Precondition,
    ): Promise<Result<Document, WriteRefusal>>;
    edit(
      caller: ContextCaller,
      id: string,
      edit: Edit,
      precondition: Precondition,
    ): Promise<Result<EditedDocument, WriteRefusal | NotText | InvalidArgument | TooLarge>>;
    /**
     * Deletes a document and, by cascading relations, those under it that the caller sees. Answers with the ids of all that went, the
     * document's own first. The precondition is about that one.
     */
    delete(
      caller: ContextCaller,
      id: string,
      precondition: Precondition,
    ): Promise<Result<readonly string[], WriteRefusal | CascadeTooLarge>>;
  };

/** There is such a partition already. */
export type PartitionExists = { readonly reason: 'partition_exists' };

/** The partitions of an org. Does NOT ask who calls: that is decided before. */
export type PartitionStore = {
  /** By name. */
  listPartitions(orgId: string): Promise<Result<readonly Partition[], Unavailable>>;
  createPartition(
    orgId: string,
    partition: Omit<Partition, 'createdAtSeconds'>,
  ): Promise<Result<Partition, PartitionExists | Unavailable>>;
  /** Deletes a partition and all of its documents. Where there are very many it is not complete, and has to be repeated. */
  deletePartition(
    orgId: string,
    name: string,
  ): Promise<Result<{ readonly isComplete: boolean }, NotFound | Unavailable>>;
};

/**
 * What became of an entry of an archive, and the id that it has here. `unchanged`: it was here already; `conflict`: another one is, and
 * stays; `expired`: its time was over; `missing`: one of the documents that it relates is not here.
 */
export type Restored = {
  readonly id: string;
  readonly outcome: 'created' | 'unchanged' | 'conflict' | 'expired' | 'missing';
};

/** Some documents of all. Where very many before the next one have expired, those go on after `pausedAt` who want more. */
export type WalkedDocuments = {
  readonly documents: readonly Document[];
  readonly pausedAt: string | undefined;
};

/** Everything that a caller sees, out and in again. */
export type ArchiveStore = {
  /** The documents after this one in the order of ids, from the first where none is named; fewer than `limit` at the end, or where it paused. */
  walk(
    caller: ContextCaller,
    afterId: string | undefined,
    limit: number,
  ): Promise<Result<WalkedDocuments, Unavailable>>;
  /**
   * Makes what an archive says, in the caller's scope, where it is not there yet. The same entry again changes nothing, whatever became of
   * the first attempt. Does NOT compare content with a checksum.
   */
  restore(caller: ContextCaller, entry: ArchiveEntry): Promise<Result<Restored, ReadOnly | Unavailable>>;
};

/** Some relations of a document, oldest first. Not `isComplete` where there may be more. */
export type SomeRelations = { readonly relations: readonly Relation[]; readonly isComplete: boolean };

/** One page of a document's relations, oldest first. It may be shorter than the limit and still have a next one. */
export type RelationPage = {
  readonly relations: readonly Relation[];
  readonly nextCursor: string | undefined;
};

/** The relations of documents. A relation is there for those who see both of its documents, and for nobody else. */
export type RelationStore = {
  relate(
    caller: ContextCaller,
    relation: NewRelation,
  ): Promise<Result<Relation, NotFound | ReadOnly | RelationConflict | Unavailable>>;
  /** Of each of the documents that the caller sees, oldest relation first. All of them, however many: for an answer there are the next two. */
  relationsOf(
    caller: ContextCaller,
    ids: readonly string[],
  ): Promise<Result<ReadonlyMap<string, readonly Relation[]>, Unavailable>>;
  /** The same, as many as fit one answer: where that is not all, those with the most have fewer. */
  someRelationsOf(
    caller: ContextCaller,
    ids: readonly string[],
  ): Promise<Result<ReadonlyMap<string, SomeRelations>, Unavailable>>;
  /** Of one document, as many as are asked for and fit one answer. */
  relationPage(
    caller: ContextCaller,
    id: string,
    query: RelationQuery,
  ): Promise<Result<RelationPage, NotFound | InvalidCursor | Unavailable>>;
  annotate(
    caller: ContextCaller,
    relationId: string,
    notes: Partial<RelationNotes>,
  ): Promise<Result<Relation, NotFound | ReadOnly | Unavailable>>;
  unrelate(
    caller: ContextCaller,
    relationId: string,
  ): Promise<Result<void, NotFound | ReadOnly | Unavailable>>;
};

/** A document and its bytes; a placeholder has none. */
export type StoredDocument = { readonly document: Document; readonly content: Uint8Array<ArrayBuffer> };

/** A document after an edit, and what the edit did. */
export type EditedDocument = { readonly document: Document; readonly outcome: EditOutcome };
