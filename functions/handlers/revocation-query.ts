import type { RevocationEntry, RevocationList } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { storedKindOf } from '../core/revocation-plan.ts';
import { REVOCATION_KINDS } from '../core/revocation-request.ts';
import { type Authority, mayReach } from './administration.ts';
import { readParameters } from './query-parameters.ts';
import type { TargetRefusal } from './revocation-target.ts';

type Query = Parameters<RevocationList['read']>[0];

const NAMES: readonly string[] = ['kind', 'org_id', 'cursor', 'limit'];
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
const CURSOR = /^[A-Za-z0-9_-]+$/;
/** Of a sort key (DynamoDB, service quotas). */
const MAX_KEY_BYTES = 1_024;

/**
 * Reads `?kind=&org_id=&limit=&cursor=`. Without a kind every entry of the organisation; `all` is the one of the whole platform, for its
 * administrators. A cursor says where to go on and nothing else: the partition comes from who asks.
 */
export function readListQuery(
  query: URLSearchParams,
  asking: Pick<Authority, 'isOfPlatform' | 'snapshot'> & { readonly orgId: string },
): Result<Query, TargetRefusal> {
  const params = readParameters(query, NAMES);
  if (params === undefined) {
    return invalid('a list takes `kind`, `org_id`, `limit` and `cursor`, each once');
  }
  const kind = params.get('kind');
  const known = REVOCATION_KINDS.find((one) => one === kind);
  if (kind !== undefined && known === undefined)
    return invalid(`\`kind\` is one of ${REVOCATION_KINDS.join(', ')}`);
  const limit = params.get('limit') ?? String(DEFAULT_LIMIT);
  if (!/^[1-9][0-9]{0,3}$/.test(limit) || Number(limit) > MAX_LIMIT) {
    return invalid(`\`limit\` is a whole number, at most ${MAX_LIMIT}`);
  }
  const cursor = params.get('cursor');
  const after = cursor === undefined ? undefined : readCursor(cursor);
  if (cursor !== undefined && after === undefined)
    return invalid('`cursor` is the `next` of an earlier answer');
  const orgId = params.get('org_id') ?? asking.orgId;
  if (!mayReach(asking, orgId)) return err({ reason: 'not_found', detail: 'there is no such organisation' });
  if (known === 'all' && !asking.isOfPlatform) {
    return err({
      reason: 'not_found',
      detail: 'what holds for every organisation is for the platform’s administrators',
    });
  }
  return ok({
    orgId: known === 'all' ? undefined : orgId,
    limit: Number(limit),
    ...(known === undefined ? {} : { kind: storedKindOf(known) satisfies RevocationEntry['kind'] }),
    ...(after === undefined ? {} : { after }),
  });
}

/** The key that a cursor stands for; undefined where it stands for none. */
function readCursor(cursor: string): string | undefined {
  const bytes = CURSOR.test(cursor) ? Buffer.from(cursor, 'base64url') : Buffer.alloc(0);
  return bytes.length > 0 && bytes.length <= MAX_KEY_BYTES ? bytes.toString() : undefined;
}

function invalid(detail: string): Result<never, TargetRefusal> {
  return err({ reason: 'invalid_argument', detail });
}
