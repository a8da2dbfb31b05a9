import { isFresh } from '../core/freshness.ts';
import { isUser } from '../core/parties.ts';
import type { Clock, RevocableToken, RevocationStore, Unavailable } from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { lineOf } from '../core/token-line.ts';
import { batchGet, type Dynamo, type Item, readNumber, readString } from './dynamodb.ts';
import { PLATFORM_KEY, toRevocationItem, toRevocationKey } from './revocation-records.ts';

/** A negative answer is remembered this long; with the look itself it stays within the promised 5 s (contract §13). */
const REMEMBER_SECONDS = 3;
const MAX_REMEMBERED = 10_000;
/** Of one BatchGetItem (DynamoDB API reference). */
const MAX_KEYS = 100;
/** Nothing was revoked for the whole platform: no token is as old as this. */
const NEVER_SECONDS = Number.NEGATIVE_INFINITY;

/**
 * Revocations in DynamoDB, one partition per organisation, and one item for the whole platform. A look reads by key, strongly consistent
 * and in one call: four items for a client's own token, five for a user's, a few more for one that was delegated or speaks for teams. The
 * answer "not revoked" is remembered per token for 3 s, "revoked" for good; what holds for the platform is remembered for 3 s for all
 * tokens together, so that its one item is not read for every one of them.
 */
export function createRevocationStore(dynamo: Dynamo, table: string, clock: Clock): RevocationStore {
  const remembered = new Map<string, { readonly revoked: boolean; readonly lookedAtSeconds: number }>();
  let platform = { beforeSeconds: NEVER_SECONDS, lookedAtSeconds: NEVER_SECONDS };

  const remember = (key: string, revoked: boolean, lookedAtSeconds: number) => {
    remembered.delete(key);
    if (remembered.size >= MAX_REMEMBERED) {
      for (const oldest of remembered.keys()) {
        remembered.delete(oldest);
        break;
      }
    }
    remembered.set(key, { revoked, lookedAtSeconds });
  };

  return {
    async isRevoked(token, { fresh = false } = {}) {
      const nowSeconds = clock();
      const { orgId, jti, clientId, subject, actors, actorTokens, teams, runId, issuedAtSeconds } = token;
      const parties = [clientId, subject, actors, actorTokens, teams, runId];
      const key = JSON.stringify([orgId, jti, ...parties, issuedAtSeconds]);
      const known = remembered.get(key);
      if (known?.revoked === true) return ok(true);
      const isRecent = (lookedAtSeconds: number | undefined) =>
        !fresh && lookedAtSeconds !== undefined && isFresh(lookedAtSeconds, REMEMBER_SECONDS, nowSeconds);
      const isKnown = isRecent(known?.lookedAtSeconds);
      const isPlatformKnown = isRecent(platform.lookedAtSeconds);
      let isRevoked = false;
      if (!isKnown || !isPlatformKnown) {
        const found = await readAll(dynamo, table, [
          ...(isKnown ? [] : keysOf(token)),
          ...(isPlatformKnown ? [] : [PLATFORM_KEY]),
        ]);
        if (!found.ok) return found;
        const { own, all } = sortFound(found.value);
        if (!isPlatformKnown) platform = { beforeSeconds: all, lookedAtSeconds: nowSeconds };
        isRevoked = issuedAtSeconds <= own;
      }
      isRevoked ||= issuedAtSeconds <= platform.beforeSeconds;
      if (!isKnown || isRevoked) remember(key, isRevoked, nowSeconds);
      return ok(isRevoked);
    },

    async revoke(entry) {
      const put = await dynamo.call('PutItem', {
        TableName: table,
        Item: toRevocationItem(entry),
        // What stands there already may kill more than this entry would; then it stays.
        ConditionExpression: 'attribute_not_exists(#before) OR #before < :before',
        ExpressionAttributeNames: { '#before': 'before' },
        ExpressionAttributeValues: { ':before': { N: String(entry.beforeSeconds) } },
      });
      return put.ok || put.error.reason === 'condition_failed' ? ok(undefined) : unavailable(put.error);
    },
  };
}

/** As many calls at once as it takes: one, but for a party of very many teams. */
async function readAll(
  dynamo: Dynamo,
  table: string,
  keys: readonly Item[],
): Promise<Result<readonly Item[], Unavailable>> {
  const calls = Array.from({ length: Math.ceil(keys.length / MAX_KEYS) }, (_, index) =>
    batchGet(dynamo, table, keys.slice(index * MAX_KEYS, (index + 1) * MAX_KEYS)),
  );
  const items: Item[] = [];
  for (const answer of await Promise.all(calls)) {
    if (!answer.ok) return answer;
    items.push(...answer.value);
  }
  return ok(items);
}

/** Every key under which this token may be revoked in its organisation. */
function keysOf({
  orgId,
  jti,
  clientId,
  subject,
  actors = [],
  actorTokens = [],
  teams = [],
  runId,
}: RevocableToken): readonly Item[] {
  // DynamoDB refuses a key that is asked for twice, and one client may stand in several places.
  const subjects = new Set([subject, ...actors.filter(isUser)]);
  const clients = new Set([clientId, ...[subject, ...actors].filter((one) => !isUser(one))]);
  return [
    ...Array.from(new Set([jti, ...actorTokens].flatMap(lineOf)), (id) => toRevocationKey(orgId, 'jti', id)),
    ...Array.from(clients, (id) => toRevocationKey(orgId, 'client', id)),
    ...Array.from(subjects, (id) => toRevocationKey(orgId, 'subject', id)),
    ...Array.from(new Set(teams), (id) => toRevocationKey(orgId, 'team', id)),
    toRevocationKey(orgId, 'org', orgId),
    ...(runId === undefined ? [] : [toRevocationKey(orgId, 'run', runId)]),
  ];
}

/** The latest second whose tokens are killed, by what is about the token and by what is about the whole platform. */
function sortFound(items: readonly Item[]): { readonly own: number; readonly all: number } {
  let [own, all] = [NEVER_SECONDS, NEVER_SECONDS];
  for (const item of items) {
    // An entry that cannot be read revokes everything: it was written to deny.
    const before = readNumber(item, 'before') ?? Number.POSITIVE_INFINITY;
    if (readString(item, 'pk') === readString(PLATFORM_KEY, 'pk')) all = Math.max(all, before);
    else own = Math.max(own, before);
  }
  return { own, all };
}

function unavailable(error: {
  readonly reason: string;
  readonly detail?: string;
}): Result<never, Unavailable> {
  return err({ reason: 'unavailable', detail: error.detail ?? error.reason });
}
