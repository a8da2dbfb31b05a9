/** One promise of the context store, and the tests that fail when it is broken: file, and a part of the title. */
export type ContextRequirement = {
  /** The part of the contract: 5 run tokens, 8 the context store. */
  readonly clause: 5 | 8;
  readonly says: string;
  readonly tests: readonly (readonly [file: string, title: string])[];
};

/** What the context store promises. A promise without a test does not belong here, and one without a row is not kept track of. */
// biome-ignore format: one row per test
export const CONTEXT_REQUIREMENTS: readonly ContextRequirement[] = [
  { clause: 5, says: 'The model never sees or sets namespace or filters', tests: [
    ['handlers/document-tools.test.ts', 'cannot name a scope, and no schema lets it'],
    ['e2e/context-store.test.ts', 'scope in the $name is refused, never obeyed'],
  ] },
  { clause: 5, says: 'A run writes only with the permission to', tests: [
    ['core/run-access.test.ts', 'a run'],
    ['core/documents/namespace-access.test.ts', 'that is the token’s own is opened as the token says, named or not'],
  ] },
  { clause: 5, says: 'A filter matches its exact value alone', tests: [
    ['core/visibility.test.ts', 'whose value a wildcard would match'],
  ] },
  { clause: 8, says: 'Namespace equal, and filters empty or all contained: reads, writes, lists', tests: [
    ['contract/document-store.test.ts', 'whatever callers do, each sees what a plain model says it sees'],
    ['handlers/documents.test.ts', 'what a caller cannot see is not found, like what does not exist'],
  ] },
  { clause: 8, says: 'The same of relations and cascades, by id too', tests: [
    ['contract/document-relations.test.ts', 'whatever callers relate and delete, each sees what a plain model says'],
    ['contract/document-relations.test.ts', 'needs both documents to be visible, and is nobody else’s to see or change'],
    ['contract/document-relations.test.ts', 'takes every child along, once, in circles too, and says so'],
    ['handlers/relation-routes.test.ts', 'of another namespace nothing is found by id'],
  ] },
  { clause: 8, says: 'The same of search, in the scores too', tests: [
    ['contract/document-search.test.ts', 'whatever callers write and delete, each finds what a plain reading of what it sees finds'],
    ['contract/document-search.test.ts', 'counts nothing of what its caller cannot see'],
    ['contract/document-relation-limits.test.ts', 'relations that a caller cannot see do not count for it'],
  ] },
  { clause: 8, says: 'A list costs what the caller sees, not what others made or what once was', tests: [
    ['contract/document-lists.test.ts', 'of little among very much that the caller cannot see costs what the little does'],
    ['contract/document-scopes.test.ts', 'sets of filters whose documents were all deleted cost nobody anything'],
    ['contract/document-scopes.test.ts', 'sets of filters whose documents have all expired go'],
    ['contract/document-scopes.test.ts', 'a run pays nothing for the other runs of its team'],
    ['contract/document-list-costs.test.ts', '%s takes a query of each set, and at most %i rows and %i units'],
    ['contract/document-list-costs.test.ts', 'sets of filters that follow one another are read on one by one'],
    ['contract/document-list-costs.test.ts', 'some with each page, by one look at the notes, until few are left'],
    ['contract/document-list-costs.test.ts', 'not where it is not settled that lists have all'],
    ['contract/document-list-costs.test.ts', 'nothing is looked at for it where each has one'],
    ['contract/document-first-lists.test.ts', 'a first list in a namespace that is new reads no more than it lists'],
    ['contract/document-first-lists.test.ts', 'a first list that died is gone on with where it was'],
  ] },
  { clause: 8, says: 'Relations in an answer are bounded and come by pages, and nobody pays for those that it cannot see', tests: [
    ['contract/document-relation-pages.test.ts', 'a page of a hundred documents with five hundred relations each is bounded'],
    ['contract/document-relation-pages.test.ts', 'whose relations say much has no more bytes of them than an answer may'],
    ['contract/document-relation-pages.test.ts', 'a page of usual documents has all of their relations and says nothing else'],
    ['contract/document-relation-pages.test.ts', 'pages of the relations of a document have each of them once, oldest first'],
    ['contract/document-relation-pages.test.ts', 'relations that a caller does not see are not on its pages'],
    ['contract/document-relation-pages.test.ts', 'who sees few of many relations pays for those few'],
    ['contract/document-relation-hidden.test.ts', 'that a caller does not see change nothing of what it is answered'],
    ['contract/document-relation-hidden.test.ts', 'what leads to nothing takes no place on a page'],
    ['contract/document-relation-hidden.test.ts', 'however many relations of the documents before it a caller does not see, a document has its own'],
    ['handlers/relation-routes.test.ts', 'a cursor is good for its document and caller alone'],
    ['handlers/document-tools.test.ts', 'relates documents, notes why, lists and removes the relation'],
  ] },
  { clause: 8, says: 'A search finds what is there, whatever died or is edited meanwhile, or says that there may be more', tests: [
    ['contract/document-search-beside.test.ts', 'whatever died before it was there, a search finds what is there'],
    ['contract/document-search-beside.test.ts', 'hides no document that has the word before and after'],
    ['contract/document-search-beside.test.ts', 'a search beside edits that do not end says that there may be more'],
    ['contract/document-search-beside.test.ts', 'a search that meets very much that is not there says that there may be more'],
    ['contract/document-search-beside.test.ts', 'an edit between two looks takes no document from the rows of the second to those of the first'],
  ] },
  { clause: 8, says: 'A search for one word reads no more of the index than its result needs, and finds what reading all of it finds', tests: [
    ['contract/document-search-order.test.ts', 'a search finds what reading everything finds'],
    ['contract/document-search-order.test.ts', 'behind rows that are %s, in %i sets with %i of them each, a search finds what is there'],
    ['contract/document-search-order.test.ts', 'whatever is in front of it in whichever number of sets, a search finds what is there'],
    ['contract/document-search-order.test.ts', 'a search does not look at all of them, and says that there may be more'],
    ['contract/document-search-order.test.ts', 'costs the same however many documents have it'],
    ['contract/document-search-order.test.ts', 'who sees all of a namespace asks so many of very many sets of filters, and hears that there may be more'],
    ['contract/document-search.test.ts', 'what a version with rough ranks stored is found in its place, and edits leave each of its rows once'],
  ] },
  { clause: 8, says: 'The same of conditional requests', tests: [
    ['handlers/document-content.test.ts', 'who may not see the document does not learn its version'],
  ] },
  { clause: 8, says: 'IAM refuses another namespace, whatever the code asks for', tests: [
    ['e2e/context-isolation.test.ts', 'with the namespace mixed up in the code, nothing crosses'],
    ['e2e/context-isolation.test.ts', 'touches the partition of its tags in every way, and no other in any'],
    ['infra/blast-radius.test.ts', 'only a session of the data role reaches documents, in the partition of its tags alone'],
  ] },
  { clause: 8, says: 'Nobody sees or touches another’s document, whatever it knows of it', tests: [
    ['load/context-isolation.test.ts', 'of a hundred callers at once, none sees or touches a document that is not in its scope'],
    ['load/context-isolation.test.ts', 'it is seen where %s'],
  ] },
  { clause: 8, says: 'Another org or namespace never collides', tests: [
    ['contract/document-store.test.ts', 'two documents of different org, namespace or id never share a key'],
  ] },
  { clause: 8, says: 'A lost update is 409', tests: [
    ['contract/document-writes.test.ts', 'of fifty writers at once, what was acknowledged is in the document'],
    ['handlers/document-content.test.ts', 'for another version conflicts, as a delete does'],
    ['handlers/document-content.test.ts', 'who has an earlier document of the same id and version gets the new one, and does not write over it'],
  ] },
  { clause: 8, says: 'Nothing half-written is ever visible', tests: [
    ['contract/document-writes.test.ts', 'leaves the old version or the new one, whole'],
    ['contract/document-writes.test.ts', 'in a create leaves the whole document or none'],
    ['contract/document-search.test.ts', 'leaves the words of the old version or of the new one, never of both'],
    ['contract/document-throttling.test.ts', 'what a table stops taking half-way is unavailable, and nothing of it is to be seen'],
    ['contract/document-throttling.test.ts', 'a write that is throttled half-way leaves the words of the version before'],
  ] },
  { clause: 8, says: 'A document whose words a throttled table takes bit by bit is found by all of them', tests: [
    ['contract/document-throttling.test.ts', 'are all found, once it is said that they are stored'],
  ] },
  { clause: 8, says: 'What a process that died left behind does not stay', tests: [
    ['contract/document-leftovers.test.ts', 'what a create that died left is gone when another one comes an hour later, and not before'],
    ['contract/document-leftovers.test.ts', 'what a delete that died left is gone when another one comes an hour later'],
  ] },
  { clause: 8, says: 'A sweep comes to everything that died, and takes nothing from what is there', tests: [
    ['contract/document-sweeps.test.ts', 'notes of documents whose time is over hide no others from a sweep'],
    ['contract/document-sweeps.test.ts', 'at what is in use, keeps its words'],
    ['contract/document-sweeps.test.ts', 'a sweep beside edits that do not end takes nothing'],
  ] },
  { clause: 8, says: 'However many are deleted, what comes after that is found, and no note of it piles up', tests: [
    ['contract/document-note-sweeps.test.ts', 'notes of cascades do not pile up'],
    ['contract/document-note-sweeps.test.ts', 'notes of deletes side by side do not pile up'],
    ['contract/document-note-sweeps.test.ts', 'what a delete is to find is found, however late the next one comes'],
    ['contract/document-note-sweeps.test.ts', 'one more costs little more than before'],
    ['contract/document-note-sweeps.test.ts', 'to a document whose time is in the future, nothing is left'],
    ['contract/document-note-sweeps.test.ts', 'of a deleted partition no note stays for ever'],
    ['contract/document-note-sweeps.test.ts', 'rows of the index of a create that was refused'],
  ] },
  { clause: 8, says: 'A page over very much that has expired ends, and says where it goes on', tests: [
    ['contract/document-expired.test.ts', 'a list %s goes past it page by page'],
    ['contract/document-expired.test.ts', 'an export goes past it page by page'],
    ['contract/document-expired.test.ts', 'and expired, are gone past by what there is of them'],
    ['contract/document-list-merges.test.ts', 'every document comes once, in order, and the last page ends it'],
  ] },
  { clause: 8, says: 'A word is found in whichever of very many sets of filters that the caller sees, and nothing of others counts', tests: [
    ['contract/document-many-scopes.test.ts', 'a rare word is found in whichever of very many sets it is'],
    ['contract/document-many-scopes.test.ts', 'by as many queries, however much there is that the caller does not see'],
  ] },
  { clause: 8, says: 'A document that lists lack is found by its words, and comes into its lists', tests: [
    ['contract/document-settling.test.ts', 'is found after a delete of the last one in its lists'],
    ['contract/document-settling.test.ts', 'and is put into its lists by creates of an hour later'],
    ['contract/document-settling.test.ts', 'a row that is no document keeps no create and no list from what is there'],
  ] },
  { clause: 8, says: 'Nothing that a process which died left behind is seen', tests: [
    ['contract/document-remains.test.ts', 'any of its writes, nothing is seen once the document is gone'],
    ['contract/document-remains.test.ts', 'any of its writes, nothing is seen before it is repeated'],
  ] },
  { clause: 8, says: 'A document stays whole that has the id of one which is deleted, or the pieces of an older version', tests: [
    ['contract/document-succession.test.ts', 'what is stored again under its id while it is deleted stays whole'],
    ['contract/document-succession.test.ts', 'is whole once it is there'],
    ['contract/document-succession.test.ts', 'takes nothing from what was edited since'],
  ] },
  { clause: 8, says: 'What is acknowledged is read, listed and found, whatever is deleted at the same time', tests: [
    ['contract/document-races.test.ts', 'a create that a delete of its partition overtakes is whole, or refused'],
    ['contract/document-races.test.ts', 'a document that is stored again while its partition is deleted is whole, or gone'],
    ['contract/document-races.test.ts', 'any of its writes is whole'],
    ['contract/document-races.test.ts', 'a document keeps its lists whose rows one that came too late has put'],
    ['contract/document-races.test.ts', 'imported amid the deletion of a document of the same id stays, at both ends'],
    ['contract/document-races.test.ts', 'a relation whose document is deleted before it is there is refused, and leaves nothing'],
    ['contract/document-races.test.ts', 'a relation of a document that is gone is not one of the document that has its id now'],
    ['contract/document-relation-races.test.ts', 'takes no relation of the new one'],
    ['contract/document-relation-races.test.ts', 'is whole or not there, and nothing of it is left in the end'],
    ['contract/document-relation-races.test.ts', 'is gone from both ends an hour later, or all of it is there'],
    ['contract/document-relation-races.test.ts', 'a delete takes what leads to a relation that is not there any more from both ends'],
    ['contract/document-first-lists.test.ts', 'stays in its lists'],
    ['contract/document-first-lists.test.ts', 'the slower one takes no row of the new document'],
    ['contract/document-scopes.test.ts', 'made at any moment of the delete of the last one of its filters is listed and found'],
    ['contract/document-scopes.test.ts', 'made while the last one is deleted at any of its writes'],
    ['contract/document-scopes.test.ts', 'stays that a create has named, and not yet the document in it'],
    ['contract/document-overtaken.test.ts', 'is deleted before it has come to its end, nothing is left'],
    ['contract/document-overtaken.test.ts', 'neither its end nor its name'],
    ['contract/document-overtaken.test.ts', 'makes one document, or none'],
    ['contract/document-stale-deletes.test.ts', 'and is another document when it comes to it, stays'],
    ['contract/document-stale-deletes.test.ts', 'does not take another document of the same id and version'],
    ['contract/document-stale-deletes.test.ts', 'does not take a document that its caller cannot see'],
    ['contract/document-lost-answers.test.ts', 'of a version that others went on from, nothing is taken'],
    ['contract/document-lost-answers.test.ts', 'is not told that it is there, and that is deleted, stays away'],
    ['contract/document-claims.test.ts', 'does not come back by the first create, which was slow'],
    ['contract/document-claims.test.ts', 'does not come back by a repetition, which was slow'],
    ['contract/document-late-heads.test.ts', 'a head that comes after its delete goes, although its create died'],
    ['contract/document-late-heads.test.ts', 'goes with the next create of its key, which is told so'],
    ['contract/document-late-heads.test.ts', 'stays where it is taken from its parent while that is deleted'],
    ['contract/document-late-heads.test.ts', 'takes back its own mark, and not that of another which goes on'],
    ['contract/document-late-heads.test.ts', 'a document that a repeated create was answered with has been there'],
    ['contract/document-stale-deletes.test.ts', 'and is imported when the answer to that is lost, stays'],
    ['contract/document-relation-races.test.ts', 'no note is lost or comes back where somebody notes'],
    ['contract/document-stale-deletes.test.ts', 'what is taken from its parent while that is deleted stays, and what is under it'],
    ['contract/document-partition-races.test.ts', 'after a delete of its partition has read it stays whole'],
    ['contract/document-partition-races.test.ts', 'gives its lifetime to no document'],
  ] },
  { clause: 8, says: 'A read does not fail because others write', tests: [
    ['contract/document-succession.test.ts', 'a read that nine writers in a row overtake is answered, with one of their versions'],
  ] },
  { clause: 5, says: 'The store takes a run token as the verifier for other services does', tests: [
    ['verifier/context-agreement.test.ts', 'is the same to the store and to the verifier for other services'],
    ['core/run-token-verifier.test.ts', 'opens what its section for the service says'],
  ] },
  { clause: 5, says: 'The store asks for what a service outside cannot know before it says that a run has no access', tests: [
    ['verifier/context-agreement.test.ts', 'what a service outside cannot know, the store does'],
    ['verifier/context-agreement.test.ts', 'an unknown coordinator and no section'],
  ] },
  { clause: 8, says: 'Edits by string and by offset, with every error', tests: [
    ['core/documents/edit.test.ts', 'is refused: what it replaces %s'],
    ['handlers/document-content.test.ts', 'that is %s is refused'],
  ] },
  { clause: 8, says: 'Ranges of characters, 206, 416 and 400', tests: [
    ['handlers/document-content.test.ts', 'beyond the end, of what is not text, and malformed, is refused'],
    ['contract/document-writes.test.ts', 'of any text is what its characters are'],
  ] },
  { clause: 8, says: 'Documents up to 4 MB of raw bytes, edited without storing all of it again', tests: [
    ['handlers/documents.test.ts', 'of 4 MiB is kept, of one byte more refused'],
    ['contract/document-writes.test.ts', 'at the end of 4 MiB stores a piece of it again and not all'],
  ] },
  { clause: 8, says: 'Idempotency-Key is honoured on create', tests: [
    ['contract/document-store.test.ts', 'makes one document, however often and at once it comes'],
  ] },
  { clause: 8, says: 'Cursors are sealed to caller and query', tests: [
    ['contract/document-store.test.ts', 'refuses a cursor of another caller, scope or query, and one that was changed'],
  ] },
  { clause: 8, says: 'The explicit form is the token’s own namespace, or takes context/admin', tests: [
    ['e2e/context-store.test.ts', 'a named namespace is the token’s own, or an administrator’s to reach'],
    ['core/documents/namespace-access.test.ts', 'of others is closed to everybody else'],
  ] },
  { clause: 8, says: 'Export and import of a namespace', tests: [
    ['handlers/document-archive.test.ts', 'and its import is the same namespace again, ids, times, filters, versions and relations'],
    ['handlers/document-archive.test.ts', 'puts a caller’s documents into its own filters, under ids of their own, and again changes nothing'],
    ['handlers/document-archive.test.ts', 'has what its caller sees and nothing else'],
    ['core/documents/archive.test.ts', 'is refused, by its line'],
    ['e2e/context-store.test.ts', 'a namespace goes into a file and into another namespace by the command'],
  ] },
  { clause: 8, says: 'Partitions', tests: [
    ['handlers/partition-routes.test.ts', 'partitions are made, listed and deleted'],
    ['contract/document-partitions.test.ts', 'a delete takes every document along, of the partition and of no other'],
  ] },
  { clause: 8, says: 'Eleven tools in both eras, decided like the REST operations', tests: [
    ['e2e/context-store.test.ts', 'a reader has the reading tools, and the same entry decides both doors'],
    ['e2e/context-store.test.ts', 'agents of one run share documents, agents of another never see them'],
  ] },
  // What must be denied, by what was seen to go wrong in earlier systems.
  { clause: 8, says: 'Deny path 46: relations of another namespace are neither read, changed nor deleted by id', tests: [
    ['handlers/relation-routes.test.ts', 'of another namespace nothing is found by id, and a reader changes nothing'],
    ['contract/document-relations.test.ts', 'needs both documents to be visible, and is nobody else’s to see or change'],
  ] },
  { clause: 8, says: 'Deny path 47: a cascade asks of every document whether its caller sees it, and ends in circles too', tests: [
    ['contract/document-relations.test.ts', 'takes every child along, once, in circles too, and says so'],
    ['contract/document-relations.test.ts', 'leaves its parents, and what the caller cannot see'],
  ] },
  { clause: 8, says: 'Deny path 48: no relation between documents of two namespaces', tests: [
    ['contract/document-relations.test.ts', 'needs both documents to be visible, and is nobody else’s to see or change'],
    ['contract/document-relations.test.ts', 'whatever callers relate and delete, each sees what a plain model says'],
  ] },
  { clause: 8, says: 'Deny path 49: an id of another namespace is 404 and not 403', tests: [
    ['handlers/documents.test.ts', 'what a caller cannot see is not found, like what does not exist'],
    ['load/context-isolation.test.ts', 'of a hundred callers at once, none sees or touches a document that is not in its scope'],
  ] },
  { clause: 5, says: 'Deny path 50: no value but a filter’s own passes it: no other case, blank, list or wildcard', tests: [
    ['core/visibility.test.ts', 'whose value a wildcard would match'],
    ['verifier/context-agreement.test.ts', 'with a filter that is a list'],
  ] },
  { clause: 5, says: 'Deny path 51: another service is 403; expired, of an unknown key or issuer is 401', tests: [
    ['verifier/context-agreement.test.ts', 'for another service'],
    ['verifier/context-agreement.test.ts', 'of another issuer'],
    ['verifier/context-agreement.test.ts', 'that is expired'],
    ['verifier/context-agreement.test.ts', "['of an unknown key', "],
  ] },
  { clause: 5, says: 'Deny path 52: namespace and filters among the arguments of a tool are refused', tests: [
    ['handlers/document-tools.test.ts', 'cannot name a scope, and no schema lets it'],
    ['e2e/context-store.test.ts', 'scope in the $name is refused, never obeyed'],
  ] },
  { clause: 5, says: 'Deny path 53: a run that is completed gets no fresh token', tests: [
    ['handlers/runs.test.ts', 'that is completed gives none, and those that are out are revoked'],
  ] },
  { clause: 8, says: 'Deny path 54: there is no mode without verification, at no stage', tests: [
    ['aws/start.test.ts', 'does not start where one is missing or empty, and says which'],
    ['aws/start.test.ts', 'reads nothing else: no setting turns verification off'],
    ['cli/apply.test.ts', 'a directory with secrets.local.yml is refused for another machine'],
  ] },
  { clause: 8, says: 'Deny path 55: a file name stays within its header; `_global` and `default` are no partitions', tests: [
    ['handlers/documents.test.ts', 'offers %s under a safe name'],
    ['handlers/partition-routes.test.ts', 'partitions are made, listed and deleted'],
  ] },
];
