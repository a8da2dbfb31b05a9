import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { sha256 } from '../core/documents/document.ts';
import type { Clock, Unavailable } from '../core/ports.ts';
import { ok, type Result } from '../core/result.ts';
import { SDK_BOUNDS } from './clients.ts';
import { type ContextTable, type ContextTables, createContextTable } from './context-table.ts';
import { toDirectory, toPartition } from './documents/rows.ts';
import type { AssumeRole } from './role-session.ts';

/** Namespaces whose sessions are held at once; the one that was used longest ago goes first. */
const MAX_HELD = 256;

/** A session is renewed when it has so long left: longer than any request runs. */
const RENEWAL_SECONDS = 300;

type Held = { readonly table: ContextTable; readonly expiresAtSeconds: number };

/**
 * The context table through a session of the data role for one org and namespace, tagged with both: IAM itself refuses every other partition,
 * whatever the code asks for. A session is held until shortly before it ends; of several requests that need one, the first asks for
 * it.
 */
export function createContextTables(parts: {
  readonly tableName: string;
  readonly roleArn: string;
  readonly assumeRole: AssumeRole;
  readonly clock: Clock;
}): ContextTables {
  const { tableName, roleArn, assumeRole, clock } = parts;
  const held = new Map<string, Held>();
  const pending = new Map<string, Promise<Result<Held, Unavailable>>>();
  // Connections are nobody's: what a call may do is in its signature.
  const { requestHandler } = new DynamoDBClient(SDK_BOUNDS).config;

  const open = async (orgId: string, namespace: string): Promise<Result<Held, Unavailable>> => {
    const name = `context-${sha256(keyOf(orgId, namespace)).slice(0, 32)}`;
    const session = await assumeRole({ roleArn, name, tags: { org: orgId, namespace } });
    if (!session.ok) return session;
    const { expiration, ...credentials } = session.value;
    const client = new DynamoDBClient({ ...SDK_BOUNDS, requestHandler, credentials });
    return ok({
      table: createContextTable(client, tableName, clock),
      expiresAtSeconds: Math.floor(expiration.getTime() / 1000),
    });
  };

  const hold = (key: string, session: Held): void => {
    held.delete(key);
    held.set(key, session);
    const [oldest] = held.keys();
    if (held.size > MAX_HELD && oldest !== undefined) held.delete(oldest);
  };

  return async ({ orgId, namespace }) => {
    const key = keyOf(orgId, namespace);
    const known = held.get(key);
    if (known !== undefined && known.expiresAtSeconds - clock() > RENEWAL_SECONDS) {
      hold(key, known);
      return ok(known.table);
    }
    const opening = pending.get(key) ?? open(orgId, namespace).finally(() => pending.delete(key));
    pending.set(key, opening);
    const opened = await opening;
    if (!opened.ok) return opened;
    hold(key, opened.value);
    return ok(opened.value.table);
  };
}

/** The partition that a session's tags name; an empty namespace is what is registered for the whole org. */
function keyOf(orgId: string, namespace: string): string {
  return namespace === '' ? toDirectory(orgId) : toPartition(orgId, namespace);
}
