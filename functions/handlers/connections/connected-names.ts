import type { ConnectionOwner } from '../../core/connection.ts';
import {
  connectionNamesKey,
  readConnectionNames,
  writeConnectionNames,
} from '../../core/connection-names.ts';
import type { Unavailable } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ConnectionPorts } from './connection-ports.ts';

const ATTEMPTS = 5;
/** As long as a connection is kept. */
const LIFE_SECONDS = 10 * 365 * 86_400;

type Ports = Pick<ConnectionPorts, 'records' | 'now'>;

/** The names of the providers at which a user has ever connected. */
export async function connectedNames(
  { records }: Ports,
  owner: ConnectionOwner,
): Promise<Result<readonly string[], Unavailable>> {
  const read = await records.read(connectionNamesKey(owner));
  return read.ok ? ok(read.value === undefined ? [] : readConnectionNames(read.value.text)) : read;
}

/** Writes down one more, where it is not there yet; before there is a connection, so that there is none that nobody finds. */
export async function addConnectedName(
  { records, now }: Ports,
  owner: ConnectionOwner,
  name: string,
): Promise<Result<void, Unavailable>> {
  const key = connectionNamesKey(owner);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const read = await records.read(key);
    if (!read.ok) return read;
    const names = read.value === undefined ? [] : readConnectionNames(read.value.text);
    if (names.includes(name)) return ok(undefined);
    const text = writeConnectionNames([...names, name]);
    const endsAtSeconds = Math.floor(now() / 1_000) + LIFE_SECONDS;
    const written =
      read.value === undefined
        ? await records.create(key, text, endsAtSeconds)
        : await records.replace(key, read.value, text, endsAtSeconds);
    if (written.ok) return ok(undefined);
    if (written.error.reason === 'unavailable') return err(written.error);
  }
  return err({ reason: 'unavailable', detail: 'others write the names of connections all the time' });
}
