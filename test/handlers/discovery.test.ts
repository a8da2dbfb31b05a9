import { describe, expect, test } from 'vitest';
import { err, ok } from '../../functions/core/result.ts';
import { createDiscovery, type IssuerKeys } from '../../functions/handlers/discovery.ts';
import { invocationOf } from '../support/invocation.ts';
import { policyOf } from '../support/policies.ts';
import { ORIGIN, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const PUBLISHED = [issuer.access.published, issuer.identity.published];
const ACCESS = issuer.access.published.keyId;
const IDENTITY = issuer.identity.published.keyId;

async function ask(query: string, publish: IssuerKeys['publish'] = () => Promise.resolve(ok(PUBLISHED))) {
  const app = createDiscovery({
    keys: { publish },
    rulebook: { read: () => Promise.resolve(ok({ policy: policyOf(), keys: issuer.keys })) },
  });
  const invocation = invocationOf();
  const response = await app.fetch(new Request(`${ORIGIN}/.well-known/jwks.json${query}`), invocation);
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

describe('the published keys', () => {
  test.for<readonly [string, readonly string[]]>([
    ['', [ACCESS, IDENTITY]],
    ['?other=1', [ACCESS, IDENTITY]],
    ['?purpose=access', [ACCESS]],
    ['?purpose=identity', [IDENTITY]],
    ['?purpose=access&purpose=identity', [ACCESS, IDENTITY]],
  ])('asked for as %j are those', async ([query, keyIds]) => {
    const { status, headers, body } = await ask(query);
    expect([status, headers.get('cache-control')]).toEqual([200, 'public, max-age=300']);
    expect(body.keys.map(({ kid }: { kid: string }) => kid)).toEqual(keyIds);
    for (const key of body.keys) expect(Object.keys(key)).toEqual(['kty', 'n', 'e', 'kid', 'alg', 'use']);
  });

  test.for(['?purpose=', '?purpose=run', '?purpose=Access', '?purpose=access&purpose=all'])(
    'are none of another purpose: %j',
    async (query) => {
      const { status, body } = await ask(query);
      expect([status, body.code]).toEqual([400, 'invalid_argument']);
    },
  );

  test('are nobody’s while they cannot be read', async () => {
    const down = () => Promise.resolve(err({ reason: 'unavailable', detail: 'a test’s outage' } as const));
    expect((await ask('?purpose=access', down)).status).toBe(503);
  });
});
