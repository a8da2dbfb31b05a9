import type { ConnectionOwner } from '../../core/connection.ts';
import {
  type Envelope,
  openEnvelope,
  readEnvelope,
  sealEnvelope,
  writeEnvelope,
} from '../../core/envelope.ts';
import type { Conflict, StoredRecord, Unavailable } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import {
  connectionKey,
  readVaulted,
  sealingContext,
  type VaultedConnection,
  writeVaulted,
} from '../../core/vaulted-connection.ts';
import type { ConnectionPorts } from './connection-ports.ts';

/** A connection that is there: opened, and the record that it was read from. */
export type Opened = {
  readonly vaulted: VaultedConnection;
  readonly envelope: Envelope;
  readonly record: StoredRecord;
};

/** What is said of a connection beside what is sealed: who refreshes it, until when nobody does, and from when it is of no use without. */
export type Notes = Pick<Envelope, 'lease' | 'pausedUntilMs' | 'brokenFromMs'>;

/** `isUnreadable`: what lies there does not open, and never will. */
export type VaultFailure = Unavailable & { readonly isUnreadable?: true };

/** Where one connection lies. */
export type Place = { readonly owner: ConnectionOwner; readonly provider: string };

/** Seals a connection anew, without notes, and writes it: one conditional write, and nobody else is asked. */
export type Writing = (
  previous: StoredRecord | undefined,
  vaulted: VaultedConnection,
) => Promise<Result<void, Unavailable | Conflict>>;

/**
 * Connections, each sealed with a data key of its own to its organisation, subject and provider. What does not open, as it was changed or
 * put in another's place, is `unavailable` and in the log. Every write is conditional on what was read.
 */
export type Vault = {
  /** Undefined: there is none. */
  read(place: Place): Promise<Result<Opened | undefined, VaultFailure>>;
  /** The record as it lies there, also of a connection that was forgotten or does not open. */
  peek(place: Place): Promise<Result<StoredRecord | undefined, Unavailable>>;
  /** Asks for a data key, so that what is then written there is in nobody's hands but the table's. Before anything is spent for it. */
  prepare(place: Place): Promise<Result<Writing, Unavailable>>;
  /** Changes the notes alone, and gives what is there then. */
  note(place: Place, opened: Opened, notes: Notes): Promise<Result<Opened, Unavailable | Conflict>>;
  /** Leaves a mark in its place, so that no late write brings it back. */
  forget(place: Place, previous: StoredRecord): Promise<Result<void, Unavailable | Conflict>>;
};

/** Longer than a refresh token lives anywhere. */
const LIFE_SECONDS = 10 * 365 * 86_400;
/** Longer than any request is under way. */
const MARK_SECONDS = 86_400;
const FORGOTTEN = '{"v":1,"forgotten":true}';

/** Is this the mark of a connection that was forgotten? */
export function isForgotten({ text }: StoredRecord): boolean {
  return text === FORGOTTEN;
}

/** The vault over the records of the auth table. */
export function createVault(ports: ConnectionPorts): Vault {
  const nowSeconds = () => Math.floor(ports.now() / 1_000);

  const put = (place: Place, previous: StoredRecord | undefined, text: string, lifeSeconds: number) => {
    const key = connectionKey(place.owner, place.provider);
    const expiresAtSeconds = nowSeconds() + lifeSeconds;
    return previous === undefined
      ? ports.records.create(key, text, expiresAtSeconds)
      : ports.records.replace(key, previous, text, expiresAtSeconds);
  };

  const refuse = ({ owner, provider }: Place, why: string): Result<never, VaultFailure> => {
    ports.log({ level: 'error', event: 'connection_unreadable', org: owner.orgId, provider, detail: why });
    const detail = `a connection at ${provider} does not open: ${why}`;
    return err({ reason: 'unavailable', detail, isUnreadable: true });
  };

  return {
    async read(place) {
      const read = await ports.records.read(connectionKey(place.owner, place.provider));
      if (!read.ok) return read;
      const record = read.value;
      if (record === undefined || isForgotten(record)) return ok(undefined);
      const envelope = readEnvelope(record.text);
      if (envelope === undefined) return refuse(place, 'it is malformed');
      const context = sealingContext(place.owner, place.provider);
      const key = await ports.dataKeys.unwrap(envelope.wrappedKey, context);
      if (!key.ok) {
        return key.error.reason === 'unavailable' ? err(key.error) : refuse(place, key.error.detail);
      }
      const text = openEnvelope(envelope, key.value, context);
      const vaulted = text === undefined ? undefined : readVaulted(text);
      return vaulted === undefined
        ? refuse(place, 'it was changed, or is of another place')
        : ok({ vaulted, envelope, record });
    },

    peek: (place) => ports.records.read(connectionKey(place.owner, place.provider)),

    async prepare(place) {
      const context = sealingContext(place.owner, place.provider);
      const key = await ports.dataKeys.generate(context);
      if (!key.ok) return key;
      return ok((previous, vaulted) => {
        const envelope = sealEnvelope(writeVaulted(vaulted), key.value, context, ports.randomBytes(12));
        return put(place, previous, writeEnvelope(envelope), LIFE_SECONDS);
      });
    },

    async note(place, { vaulted, envelope, record }, notes) {
      const { wrappedKey, sealed } = envelope;
      const noted: Envelope = { wrappedKey, sealed, ...notes };
      const text = writeEnvelope(noted);
      const written = await put(place, record, text, LIFE_SECONDS);
      if (!written.ok) return written;
      const revision = record.revision + 1;
      const expiresAtSeconds = nowSeconds() + LIFE_SECONDS;
      return ok({ vaulted, envelope: noted, record: { text, revision, expiresAtSeconds } });
    },

    forget: (place, previous) => put(place, previous, FORGOTTEN, MARK_SECONDS),
  };
}
