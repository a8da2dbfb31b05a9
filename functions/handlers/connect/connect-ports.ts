import type { RecordStore, RevocationStore, RulebookStore } from '../../core/ports.ts';
import type { Sealer } from '../../core/seal.ts';
import type { Connections } from '../connections/connections.ts';
import type { RecordingPorts } from '../oauth-answer.ts';

/** The ports of the connect pages and of `/connections`. */
export type ConnectPorts = RecordingPorts & {
  readonly rulebook: Pick<RulebookStore, 'read'>;
  readonly revocations: RevocationStore;
  /** Browser sessions, and what was used once. */
  readonly records: RecordStore;
  readonly connections: Connections;
  /** Undefined while the sealing secret cannot be read. */
  readonly sealer: () => Promise<Sealer | undefined>;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
};
