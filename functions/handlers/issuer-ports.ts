import type { RingKey } from '../core/key-ring.ts';
import type {
  AuditLog,
  Counter,
  ForeignKeys,
  KeyRingStore,
  PolicyStore,
  RecordStore,
  RevocationList,
  RevocationStore,
  RulebookStore,
  SecretStore,
  SigningKey,
  Unavailable,
  Upstream,
} from '../core/ports.ts';
import type { Result } from '../core/result.ts';
import type { Sealer } from '../core/seal.ts';
import type { ClientDocuments } from './client-metadata-document.ts';
import type { IssuerKeys } from './discovery.ts';
import type { Ingress } from './ingress.ts';

/** The ports of the issuer. */
export type IssuerPorts = {
  readonly rulebook: RulebookStore;
  readonly revocations: RevocationStore;
  /** What is revoked, for administrators to look at. */
  readonly revocationList: RevocationList;
  readonly records: RecordStore;
  /** Counts attempts, registrations, looks and tokens. */
  readonly counter: Counter;
  readonly audit: AuditLog;
  readonly secrets: SecretStore;
  /** Full name of the secret that our distribution sends with every request; empty where there is none. */
  readonly edgeSecret: string;
  readonly signingKey: SigningKey;
  /** Public keys of ours; resolves once they are published, so that no token is signed that nobody can verify. */
  readonly keys: IssuerKeys;
  /** The ring of all signing keys, to look at and to change. */
  readonly keyRing: KeyRingStore;
  /** Can this key be used where it is kept? */
  readonly confirmKey: (key: RingKey) => Promise<Result<void, Unavailable>>;
  /** The policy as it is stored, to judge administrators by. */
  readonly policies: Pick<PolicyStore, 'readPointer' | 'readSnapshot'>;
  /** Who calls on the routes that need a token. */
  readonly ingress: Ingress;
  /** The way to identity providers and to the documents of clients. */
  readonly upstream: Upstream;
  /** Public keys of identity providers and of clients. */
  readonly foreignKeys: ForeignKeys;
  /** Clients that are known by a document of theirs. */
  readonly clientDocuments: ClientDocuments;
  /** Undefined while the sealing secret cannot be read. */
  readonly sealer: () => Promise<Sealer | undefined>;
  /** Browser origins whose pages may read the answers. */
  readonly allowedOrigins: readonly string[];
  readonly stage: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Resolves after so many milliseconds. */
  readonly delay: (ms: number) => Promise<void>;
  /** 122 random bits or more, of letters, digits and `-`. */
  readonly randomId: () => string;
  /** Random bytes from the system. */
  readonly randomBytes: (size: number) => Uint8Array;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
};
