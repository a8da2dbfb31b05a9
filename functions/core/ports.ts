import type { AuditRecord } from './audit.ts';
import type { KeyRing } from './key-ring.ts';
import type { Policy, Snapshot } from './policy.ts';
import type { Result } from './result.ts';
import type { Secret } from './secret.ts';
import type { KeySet, PublicKey } from './signed-token.ts';

/** A dependency could not answer. `detail` is for the operator's log and never leaves the process. */
export type Unavailable = { readonly reason: 'unavailable'; readonly detail: string };

/** Seconds since the epoch, a whole number. */
export type Clock = () => number;

/** What decides: the compiled policy and the keys whose signatures are accepted. */
export type Rulebook = { readonly policy: Policy; readonly keys: KeySet };

/**
 * The running policy and public keys. An answer is at most 15 s old (contract §13); where that cannot be
 * kept, the answer is `unavailable`. `missingKeyId` asks for one fresh look when a token names an unknown key.
 */
export type RulebookStore = {
  read(missingKeyId?: string): Promise<Result<Rulebook, Unavailable>>;
};

/** Where the running policy came from. A deploy never overwrites a newer `apply`. */
export type PolicySource = 'deploy' | 'apply' | 'dev';

/** The pointer to the running policy. */
export type PolicyPointer = {
  readonly version: number;
  readonly source: PolicySource;
  readonly contentHash: string;
  readonly chunks: number;
  /** The content hash of the last deploy, whatever was applied since; undefined before the first. */
  readonly deployedHash: string | undefined;
  /** How its content came to run; absent where nobody noted it. */
  readonly written?: PolicyWriting;
};

/** How a version came about: when, by whom where it was an administrator, and which version it brought back where it did. */
export type PolicyWriting = {
  readonly atSeconds: number;
  readonly by?: { readonly clientId: string; readonly subject: string };
  readonly restored?: number;
};

/** The versions that ran, newest first; each as its pointer was when the next one came. */
export type PolicyHistory = {
  /** The versions below `before`, or all of them. `next`: go on before that one; undefined: there are no more. */
  read(
    limit: number,
    before?: number,
  ): Promise<Result<{ readonly versions: readonly PolicyPointer[]; readonly next?: number }, Unavailable>>;
  /** Undefined: no such version ran, or nobody noted it. */
  find(version: number): Promise<Result<PolicyPointer | undefined, Unavailable>>;
};

/** Where a new policy is written: compare-and-set on the pointer that was read, all or nothing. */
export type PolicyStore = {
  /** Undefined before the first policy. */
  readPointer(): Promise<Result<PolicyPointer | undefined, Unavailable>>;
  /** The policy that a pointer stands for, as it was compiled. */
  readSnapshot(pointer: PolicyPointer): Promise<Result<Snapshot, Unavailable>>;
  /** The `contentHash` of a pointer to this snapshot. */
  contentHashOf(snapshot: Snapshot): string;
  write(
    snapshot: Snapshot,
    previous: PolicyPointer | undefined,
    source: PolicySource,
    written?: PolicyWriting,
  ): Promise<Result<PolicyPointer, Unavailable | { readonly reason: 'conflict' }>>;
};

/**
 * Revocations. `isRevoked` answers for one verified token; a positive answer is final, a negative one may be at most
 * 5 s old, and is not old at all where `fresh` is asked for. `revoke` is durable when it resolves, and never takes back what a later
 * one has revoked.
 */
export type RevocationStore = {
  isRevoked(
    token: RevocableToken,
    options?: { readonly fresh?: boolean },
  ): Promise<Result<boolean, Unavailable>>;
  revoke(entry: RevocationEntry): Promise<Result<void, Unavailable>>;
};

/** The identifiers by which a token can be revoked. */
export type RevocableToken = {
  readonly orgId: string;
  /** Names its line too: what it descends from revokes it (core/token-line). */
  readonly jti: string;
  readonly clientId: string;
  readonly subject: string;
  /** Those that it was delegated through (`act`); they, and then its subject too, are looked at as its own client is. */
  readonly actors?: readonly string[];
  /** The `jti` of the tokens by which they came to act; what revokes one of those revokes this one too. */
  readonly actorTokens?: readonly string[];
  /** The run that it was issued for; undefined for what is no run token. */
  readonly runId?: string;
  /** The teams that it speaks for. */
  readonly teams?: readonly string[];
  /** The age of the oldest token in its line: an identity token is as old as the access token that it was minted from. */
  readonly issuedAtSeconds: number;
  readonly expiresAtSeconds: number;
};

/**
 * One revocation. It kills what was issued at or before `beforeSeconds`: `jti` one token and all that descend from it, `family` all
 * that descend from one login, refresh tokens too, `client`, `subject`, `team`, `org` and `run` every token of theirs, `platform` every
 * token of every organisation, whatever its `orgId` and `id`. The entry may be forgotten after `forgetAtSeconds`, when nothing that it
 * kills can be alive; a refresh token lives for 30 days.
 */
export type RevocationEntry = {
  readonly orgId: string;
  readonly kind: 'jti' | 'family' | 'client' | 'subject' | 'team' | 'org' | 'run' | 'platform';
  readonly id: string;
  readonly beforeSeconds: number;
  readonly forgetAtSeconds: number;
  /** Who revoked, and when, for those who look at what is revoked; absent where nobody did it by hand. */
  readonly by?: { readonly clientId: string; readonly subject: string; readonly atSeconds: number };
};

/** A page of the revocations that are remembered. `next` asks for those after it; undefined: there are no more. */
export type RevocationPage = {
  readonly entries: readonly RevocationEntry[];
  readonly next: string | undefined;
};

/** Looks at what is revoked, by organisation. What was written a moment ago is there. */
export type RevocationList = {
  /** In the order of the keys. `after` is a `next` of the same list. */
  read(about: {
    /** Undefined: the entries for the whole platform. */
    readonly orgId: string | undefined;
    /** Undefined: every kind. `jti` and `family` are one kind here. */
    readonly kind?: RevocationEntry['kind'];
    readonly after?: string;
    readonly limit: number;
  }): Promise<Result<RevocationPage, Unavailable>>;
};

/**
 * What a record of the issuer is: an authorization code, a refresh family, a browser session, a mark that something was used, a
 * run, a registered client; of the gateway and of control, a user's connection at a provider, and of control, a mark that something of its
 * pages was used.
 */
export type RecordKind =
  | 'CODE'
  | 'REFRESH'
  | 'SESSION'
  | 'ONCE'
  | 'RUN'
  | 'CLIENT'
  | 'CONNECTION'
  | 'CONNECT';

/** Names one record. Organisation and kind are part of the key: equal ids of two organisations never meet. */
export type RecordKey = { readonly kind: RecordKind; readonly orgId: string; readonly id: string };

/** A record as it was read. `revision` is what {@link RecordStore.replace} compares. */
export type StoredRecord = {
  readonly text: string;
  readonly revision: number;
  readonly expiresAtSeconds: number;
};

/** Another write came first, or the record is there already. */
export type Conflict = { readonly reason: 'conflict' };

/**
 * Records that live until a time and change one writer at a time. Every read is strongly consistent, every write conditional: of
 * any number of writers with one revision exactly one succeeds. A record past its time is as good as absent.
 */
export type RecordStore = {
  /** `conflict` where a record that has not expired is there. With it, what must happen once happens once. */
  create(
    key: RecordKey,
    text: string,
    expiresAtSeconds: number,
  ): Promise<Result<void, Unavailable | Conflict>>;
  read(key: RecordKey): Promise<Result<StoredRecord | undefined, Unavailable>>;
  replace(
    key: RecordKey,
    previous: StoredRecord,
    text: string,
    expiresAtSeconds: number,
  ): Promise<Result<void, Unavailable | Conflict>>;
};

/** It has happened as often as it may. */
export type UsedUp = { readonly reason: 'used_up' };

/**
 * Counts what may happen so many times, exactly: of any number that count at once, in however many processes, no more than `max` get
 * their ok. One whose answer was lost may be counted twice or without an ok; none gets an ok without being counted. Ids are for one
 * time only: what was counted is forgotten some time after `forgetAtSeconds`, and until then it stands.
 */
export type Counter = {
  /** Counts one more, and nothing where it is `used_up`. */
  count(id: string, max: number, forgetAtSeconds: number): Promise<Result<void, Unavailable | UsedUp>>;
  /** How often so far. */
  read(id: string): Promise<Result<number, Unavailable>>;
};

/** A counter for what is counted in several places, all or none. */
export type LimitCounter = Counter & {
  /** Gives one back that was counted with an ok, which then is none any more. Best effort: at most once, and not at all in an outage. */
  takeBack(id: string): Promise<void>;
};

/** Puts audit records, and can do nothing else with them. Durable when it resolves to ok. */
export type AuditLog = {
  write(record: AuditRecord): Promise<Result<void, Unavailable>>;
};

/** The version of a secret that is asked for; Secrets Manager's own stage names. */
export type SecretStage = 'AWSCURRENT' | 'AWSPREVIOUS' | 'AWSPENDING';

/** One version of a secret. `readAtSeconds`: when its store was really asked; absent where it is asked for every answer. */
export type SecretVersion = {
  readonly value: Secret;
  readonly versionId: string;
  readonly readAtSeconds?: number;
};

/**
 * Secrets by full name. `missing`: no such secret or stage; `denied`: the role may not read it; `unavailable`: an outage.
 * An answer is at most 60 s old, or 300 s old during an outage (contract §13). `fresh` skips the cache; `refused` skips it where it
 * holds nothing but the version with this id, which did not do. Neither skips it as often as it is asked for.
 */
export type SecretStore = {
  read(
    name: string,
    options?: { readonly stage?: SecretStage; readonly fresh?: boolean; readonly refused?: string },
  ): Promise<Result<SecretVersion, SecretFailure>>;
};

/** Why a secret could not be had. `denied`: it may be there, and cannot be read: by right, as a text, because it is scheduled for deletion or has no current version. */
export type SecretFailure = {
  readonly reason: 'missing' | 'denied' | 'unavailable';
  readonly detail: string;
};

/**
 * Signs compact JWS with a private key that never leaves its store. `publicKey` is the one that signs now, `keyId` its RFC 7638
 * thumbprint; `sign` takes the key that the header names, which may have stopped signing meanwhile and is `unavailable` once it is refused.
 */
export type SigningKey = {
  publicKey(): Promise<Result<PublicKey, Unavailable>>;
  sign(signingInput: string, keyId: string): Promise<Result<string, Unavailable>>;
};

/**
 * The ring of signing keys, strongly consistent. `change` is all or nothing: `decide` sees the newest ring, more than once where others
 * write too, and a ring that it gives back as it is means that nothing is written.
 */
export type KeyRingStore = {
  read(): Promise<Result<KeyRing, Unavailable>>;
  change<E>(decide: (ring: KeyRing) => Result<KeyRing, E>): Promise<Result<KeyRing, E | Unavailable>>;
};

/** One request to an upstream, built from an empty header list. `url` has passed the perimeter check. */
export type UpstreamRequest = {
  readonly url: URL;
  readonly method: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array | undefined;
  /** May the host resolve to a private or loopback address? */
  readonly allowPrivate: boolean;
  /** The networks in which a private address must then be, in CIDR notation; absent: in any. */
  readonly privateNetworks?: readonly string[];
  /** May the host not be the machine itself, whatever else is allowed? Absent: it may. */
  readonly refusesLoopback?: boolean;
  /** Connections are shared only between requests with the same key: caller and credential. */
  readonly isolationKey: string;
  readonly timeout: UpstreamTimeout;
  /** Aborting it ends the upstream request. */
  readonly signal: AbortSignal;
};

/** Bounds of one upstream call, in milliseconds. */
export type UpstreamTimeout = {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly silenceMs: number;
  readonly callMs: number;
};

/** The upstream's answer as it arrives. Header names are lower case; the body stream errors when a bound is passed. */
export type UpstreamResponse = {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: ReadableStream<Uint8Array>;
};

/** Why an upstream could not answer. `detail` is for the operator's log. */
export type UpstreamFailure = {
  readonly reason: 'refused_address' | 'unreachable' | 'timeout' | 'redirect';
  readonly detail: string;
};

/** The one way out: checked addresses only, no redirects, no proxies, bounded in time. */
export type Upstream = {
  send(request: UpstreamRequest): Promise<Result<UpstreamResponse, UpstreamFailure>>;
};

/** A public key of somebody else (RFC 7517), as its owner published it: members that are strings, and nothing private. */
export type ForeignKey = Readonly<Record<string, string>>;

/**
 * Public keys of identity providers and of clients, by the URL of their JWKS. Fetched through the guarded client, kept for a while;
 * a key id that is unknown leads to one fresh look, and to no more of them than the cool-down allows, whatever is asked.
 */
export type ForeignKeys = {
  /** The keys that may have signed; all of them where no key id is named, none where it is unknown. */
  find(
    jwksUri: string,
    keyId: string | undefined,
    options: { readonly allowPrivate: boolean },
  ): Promise<Result<readonly ForeignKey[], Unavailable>>;
};
