import type { DataKeys } from '../../core/connection-ports.ts';
import type { RecordStore, SecretStore, Upstream } from '../../core/ports.ts';

/** The ports of users' connections. */
export type ConnectionPorts = {
  readonly records: RecordStore;
  readonly dataKeys: DataKeys;
  /** Our secrets at providers. */
  readonly secrets: SecretStore;
  readonly upstream: Upstream;
  readonly stage: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Resolves after so many milliseconds. */
  readonly wait: (ms: number) => Promise<void>;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
};
