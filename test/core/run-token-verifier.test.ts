import { describe, expect, test } from 'vitest';
import { type KeySource, verifyWithKeys } from '../../functions/core/key-source.ts';
import type { Unavailable } from '../../functions/core/ports.ts';
import { err, ok, type Result } from '../../functions/core/result.ts';
import { verifyRunToken } from '../../functions/core/run-token-verifier.ts';
import { KeySet, type TokenRefusal } from '../../functions/core/signed-token.ts';
import { makeKey, NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const later = makeKey('access');

type Book = { readonly keys: KeySet; readonly name: string };

const BOOKS = {
  held: { keys: issuer.keys, name: 'held' },
  fresh: { keys: new KeySet([issuer.access.published, later.published]), name: 'fresh' },
};

/** Keys that answer a look after the other with what is given, and note which were asked for. */
function keysOf(...answers: readonly (Book | undefined)[]) {
  const looks: (string | undefined)[] = [];
  const source: KeySource<Book> = {
    async read(missingKeyId) {
      const book = answers[looks.length];
      looks.push(missingKeyId);
      return book === undefined ? err({ reason: 'unavailable', detail: 'no answer' }) : ok(book);
    },
  };
  return { source, looks };
}

const runToken = (changes: Record<string, unknown> = {}, key = issuer.access) =>
  issuer.runToken(
    {
      aud: ['charts', 'maps'],
      services: { charts: { namespace: 'atlas', scope_filters: { session: 's-1' } }, maps: {} },
      ...changes,
    },
    key,
  );

const verify = (
  compact: string,
  { source }: { readonly source: KeySource<Book> } = keysOf(BOOKS.held),
  service = 'charts',
  clock = () => NOW_SECONDS,
) => verifyRunToken(compact, { issuer: ORIGIN, service, clock }, source);

/** What it opens, or by which of the two refusals it opens nothing. */
async function openedBy(compact: string, service: string): Promise<unknown> {
  const verified = await verify(compact, keysOf(BOOKS.held), service);
  if (!verified.ok) return verified.error.reason === 'bad_token' ? verified.error.detail : verified.error;
  const { scope } = verified.value.run;
  return scope.ok ? scope.value : scope.error.reason;
}

const ATLAS = {
  orgId: 'acme',
  namespace: 'atlas',
  scopeFilters: new Map([['session', 's-1']]),
  permissions: 'write',
};

describe('a run token', () => {
  test.for<readonly [string, Record<string, unknown>, string, unknown]>([
    ['opens what its section for the service says', {}, 'charts', ATLAS],
    [
      'opens less where it is to read',
      { permissions: ['read'] },
      'charts',
      { ...ATLAS, permissions: 'read' },
    ],
    [
      'opens the whole namespace without filters',
      { services: { charts: { namespace: 'atlas' } } },
      'charts',
      { ...ATLAS, scopeFilters: new Map() },
    ],
    [
      'opens in the flat shape the one service',
      { aud: 'charts', services: undefined, namespace: 'atlas', scope_filters: { session: 's-1' } },
      'charts',
      ATLAS,
    ],
    ['opens nothing where its section has no namespace', {}, 'maps', 'no_namespace'],
    ['opens nothing where it has no section', {}, 'tiles', 'no_namespace'],
    [
      'opens nothing with filters that are a list',
      { services: { charts: { namespace: 'atlas', scope_filters: ['session'] } } },
      'charts',
      'malformed_scope',
    ],
    [
      'opens nothing with a namespace that is a number',
      { services: { charts: { namespace: 7 } } },
      'charts',
      'malformed_scope',
    ],
    ['of another issuer is none', { iss: 'https://other.example.com' }, 'charts', 'issuer'],
    [
      'within the tolerance of its end opens it',
      { iat: NOW_SECONDS - 60, exp: NOW_SECONDS - 4 },
      'charts',
      ATLAS,
    ],
    ['within the tolerance of its beginning opens it', { iat: NOW_SECONDS + 5 }, 'charts', ATLAS],
    ['ahead of its time is none', { iat: NOW_SECONDS + 6 }, 'charts', 'not_yet_valid'],
    ['that is expired is none', { iat: NOW_SECONDS - 600, exp: NOW_SECONDS - 6 }, 'charts', 'expired'],
  ])('%s', async ([, changes, service, opened]) => {
    expect(await openedBy(runToken(changes), service)).toEqual(opened);
  });

  test('says who the run is, and all that it says to the service', async () => {
    const verified = await verify(runToken());
    if (!verified.ok) throw new Error(verified.error.detail);
    const { run, found } = verified.value;
    expect([run.service, run.claims.runId, run.claims.clientId, found.name]).toEqual([
      'charts',
      'run-1',
      'coordinator',
      'held',
    ]);
    expect([...(run.section ?? [])].map(([name]) => name)).toEqual(['namespace', 'scope_filters']);
  });

  test('is as old as it is when its keys are there, not when they were asked for', async () => {
    let nowSeconds = NOW_SECONDS;
    const { source } = keysOf(BOOKS.held);
    const slow: KeySource<Book> = {
      async read(missingKeyId) {
        nowSeconds += 700;
        return source.read(missingKeyId);
      },
    };
    expect(await verify(runToken(), { source: slow }, 'charts', () => nowSeconds)).toMatchObject({
      error: { detail: 'expired' },
    });
  });
});

describe('the keys', () => {
  test.for<readonly [string, readonly (Book | undefined)[], boolean, unknown, number]>([
    ['at hand are enough for a key that they have', [BOOKS.held], false, 'held', 1],
    [
      'are looked for afresh, once, for a key that they have not',
      [BOOKS.held, BOOKS.fresh],
      true,
      'fresh',
      2,
    ],
    ['may still not have it', [BOOKS.held, BOOKS.held], true, 'bad_token', 2],
    ['cannot be had', [undefined], false, 'unavailable', 1],
    ['cannot be had afresh', [BOOKS.held, undefined], true, 'unavailable', 2],
  ])('%s', async ([, answers, isLater, outcome, count]) => {
    const keys = keysOf(...answers);
    const verified = await verify(runToken({}, isLater ? later : issuer.access), keys);
    expect(verified.ok ? verified.value.found.name : verified.error.reason).toBe(outcome);
    expect(keys.looks).toEqual([undefined, later.published.keyId].slice(0, count));
  });

  test('are looked for afresh for no other refusal', async () => {
    const keys = keysOf(BOOKS.held, BOOKS.fresh);
    expect(await verify(runToken({ iss: 'https://other.example.com' }), keys)).toMatchObject({
      error: { detail: 'issuer' },
    });
    const forged = issuer.sign(
      JSON.stringify({ alg: 'RS256', typ: 'JWT', kid: issuer.access.published.keyId }),
      '{}',
      later,
    );
    expect(await verify(forged, keysOf(BOOKS.held))).toMatchObject({ error: { detail: 'signature' } });
    expect(keys.looks).toEqual([undefined]);
  });

  test('serve every kind of token by the same rule', async () => {
    const seen: KeySet[] = [];
    const once = (keys: KeySet): Result<string, TokenRefusal> => {
      seen.push(keys);
      return keys === BOOKS.fresh.keys
        ? ok('done')
        : err({ reason: 'bad_token', detail: 'unknown_key', missingKeyId: 'k-2' });
    };
    const keys = keysOf(BOOKS.held, BOOKS.fresh);
    const verified: Result<unknown, TokenRefusal | Unavailable> = await verifyWithKeys(keys.source, once);
    expect(verified).toEqual(ok({ token: 'done', found: BOOKS.fresh }));
    expect([seen.length, keys.looks]).toEqual([2, [undefined, 'k-2']]);
  });
});
