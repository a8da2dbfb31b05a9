import type { RevocationEntry } from '../core/ports.ts';
import { type Item, readNumber, readString } from './dynamodb.ts';

type Kind = RevocationEntry['kind'];

/** No organisation has this name (contract §2). */
const PLATFORM = '*';

/** Where the one entry is that concerns every organisation. */
export const PLATFORM_KEY: Item = { pk: { S: `REVOCATION#${PLATFORM}` }, sk: { S: 'PLATFORM#' } };

/** The partition of an organisation's entries; of the platform's where none is named. */
export function revocationPartition(orgId: string = PLATFORM): string {
  return `REVOCATION#${orgId}`;
}

/** How the sort keys of a kind begin. A family is the first id of its line, so that it is found where a token's own id is. */
export function revocationPrefix(kind: Kind): string {
  return `${(kind === 'family' ? 'jti' : kind).toUpperCase()}#`;
}

/** Where an entry is. */
export function toRevocationKey(orgId: string, kind: Kind, id: string): Item {
  if (kind === 'platform') return PLATFORM_KEY;
  return { pk: { S: revocationPartition(orgId) }, sk: { S: `${revocationPrefix(kind)}${id}` } };
}

/** An entry as an item. */
export function toRevocationItem(entry: RevocationEntry): Item {
  const { orgId, kind, id, by } = entry;
  return {
    ...toRevocationKey(orgId, kind, id),
    kind: { S: kind },
    before: { N: String(entry.beforeSeconds) },
    expires_at: { N: String(entry.forgetAtSeconds) },
    ...(by === undefined
      ? {}
      : {
          by_client: { S: by.clientId },
          by_subject: { S: by.subject },
          at: { N: String(by.atSeconds) },
        }),
  };
}

const KINDS: readonly Kind[] = ['jti', 'family', 'client', 'subject', 'team', 'org', 'run', 'platform'];

/** Reads an item as an entry. One that cannot be read is shown as what it does: it kills everything under its key, for good. */
export function readRevocationItem(item: Item): RevocationEntry {
  const sortKey = readString(item, 'sk') ?? '';
  const [prefix = '', ...rest] = sortKey.split('#');
  const atSeconds = readNumber(item, 'at');
  const clientId = readString(item, 'by_client');
  const subject = readString(item, 'by_subject');
  return {
    orgId: (readString(item, 'pk') ?? '').slice(revocationPartition('').length),
    kind: KINDS.find((kind) => kind === (readString(item, 'kind') ?? prefix.toLowerCase())) ?? 'jti',
    id: rest.join('#'),
    beforeSeconds: readNumber(item, 'before') ?? Number.MAX_SAFE_INTEGER,
    forgetAtSeconds: readNumber(item, 'expires_at') ?? Number.MAX_SAFE_INTEGER,
    ...(atSeconds === undefined || clientId === undefined || subject === undefined
      ? {}
      : { by: { clientId, subject, atSeconds } }),
  };
}
