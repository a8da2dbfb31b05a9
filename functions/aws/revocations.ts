import { isFresh } from '../core/freshness.ts';
import { isUser } from '../core/parties.ts';
import type { Clock, RevocableToken, RevocationEntry, RevocationStore, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { lineOf } from '../core/token-line.ts';
import { batchGet, type Dynamo, type Item, readNumber } from './dynamodb.ts';

/** A negative answer is remembered this long; with the look itself it stays within the promised 5 s (contract §13). */
const REMEMBER_SECONDS = 3;
const MAX_REMEMBERED = 10_000;

/**
 * Revocations in DynamoDB, one partition per organisation. A look reads by key, strongly consistent and in one call: four items for a
 * client's own token, five for a user's, a few more for one that was delegated. The answer "not revoked" is remembered per token for
 * 3 s, "revoked" for good.
 */
export function createRevocationStore(dynamo: Dynamo, table: string, clock: Clock): RevocationStore {
  const remembered = new Map<string, { readonly revoked: boolean; readonly lookedAtSeconds: number }>();

  return {
    async isRevoked(token, { fresh = false } = {}) {
      const nowSeconds = clock();
      const { orgId, jti, clientId, subject, actors, runId, issuedAtSeconds } = token;
      const key = JSON.stringify([orgId, jti, clientId, subject, actors, runId, issuedAtSeconds]);
      const known = remembered.get(key);
      if (known?.revoked === true) return ok(true);
      const isKnown = known !== undefined && isFresh(known.lookedAtSeconds, REMEMBER_SECONDS, nowSeconds);
      if (isKnown && !fresh) return ok(false);
      const found = await look(dynamo, table, token);
      if (!found.ok) return found;
      remembered.delete(key);
      if (remembered.size >= MAX_REMEMBERED) {
        for (const oldest of remembered.keys()) {
          remembered.delete(oldest);
          break;
        }
      }
      remembered.set(key, { revoked: found.value, lookedAtSeconds: nowSeconds });
      return found;
    },

    async revoke(entry) {
      const put = await dynamo.call('PutItem', {
        TableName: table,
        Item: {
          ...keyOf(entry.orgId, entry.kind, entry.id),
          before: { N: String(entry.beforeSeconds) },
          expires_at: { N: String(entry.forgetAtSeconds) },
        },
        // What stands there already may kill more than this entry would; then it stays.
        ConditionExpression: 'attribute_not_exists(#before) OR #before < :before',
        ExpressionAttributeNames: { '#before': 'before' },
        ExpressionAttributeValues: { ':before': { N: String(entry.beforeSeconds) } },
      });
      return put.ok || put.error.reason === 'condition_failed' ? ok(undefined) : unavailable(put.error);
    },
  };
}

async function look(
  dynamo: Dynamo,
  table: string,
  token: RevocableToken,
): Promise<Result<boolean, Unavailable>> {
  const { orgId, jti, clientId, subject, actors = [], runId } = token;
  // DynamoDB refuses a key that is asked for twice, and one client may stand in several places.
  const subjects = new Set([subject, ...actors.filter(isUser)]);
  const clients = new Set([clientId, ...[subject, ...actors].filter((one) => !isUser(one))]);
  const found = await batchGet(dynamo, table, [
    ...lineOf(jti).map((id) => keyOf(orgId, 'jti', id)),
    ...Array.from(clients, (id) => keyOf(orgId, 'client', id)),
    ...Array.from(subjects, (id) => keyOf(orgId, 'subject', id)),
    keyOf(orgId, 'org', orgId),
    ...(runId === undefined ? [] : [keyOf(orgId, 'run', runId)]),
  ]);
  if (!found.ok) return found;
  // An entry that cannot be read revokes everything: it was written to deny.
  const kills = (item: Item) =>
    token.issuedAtSeconds <= (readNumber(item, 'before') ?? Number.POSITIVE_INFINITY);
  return ok(found.value.some(kills));
}

/** A family is the first id of its line, so that it is found where a token's own id is. */
function keyOf(orgId: string, kind: RevocationEntry['kind'], id: string): Item {
  const name = kind === 'family' ? 'jti' : kind;
  return { pk: { S: `REVOCATION#${orgId}` }, sk: { S: `${name.toUpperCase()}#${id}` } };
}

function unavailable(error: {
  readonly reason: string;
  readonly detail?: string;
}): Result<never, Unavailable> {
  return err({ reason: 'unavailable', detail: error.detail ?? error.reason });
}
