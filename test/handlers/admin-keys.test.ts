import { afterEach, describe, expect, test } from 'vitest';
import { OVERLAP_SECONDS, STANDBY_SECONDS } from '../../functions/core/key-rotation.ts';
import { err } from '../../functions/core/result.ts';
import type { IssuerPorts } from '../../functions/handlers/issuer-ports.ts';
import { type KeysApp, startKeysApp } from '../support/keys-app.ts';
import { NOW_SECONDS } from '../support/test-issuer.ts';

let app: KeysApp;

afterEach(() => app.close());

const BEFORE = 'A1 signing, B1 standby';
const down = () => Promise.resolve(err({ reason: 'unavailable', detail: 'a test’s outage' } as const));

async function start(changes: Partial<IssuerPorts> = {}): Promise<KeysApp> {
  app = await startKeysApp(['acme'], [], changes);
  return app;
}

describe('the keys are told', () => {
  test('by name, id and state, with the next step, and without where they are', async () => {
    const { ask } = await start();
    const answer = await ask('');
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const published_at = NOW_SECONDS;
    expect(await answer.json()).toEqual(
      Object.fromEntries(
        ['issuer', 'identity'].map((purpose) => [
          purpose,
          {
            keys: [
              { name: 'A1', kid: `${purpose}-A1`, state: 'signing', published_at },
              { name: 'B1', kid: `${purpose}-B1`, state: 'standby', published_at },
            ],
            next: { step: 'wait', key: 'B1', seconds: STANDBY_SECONDS },
          },
        ]),
      ),
    );
  });

  test('to the platform’s own organisation alone, and to none of several without an order', async () => {
    for (const [orgs, allowed] of [
      [['platform', 'acme'], ['platform']],
      [[], []],
    ] as const) {
      app = await startKeysApp(['acme', 'platform'], orgs);
      for (const org of ['acme', 'platform']) {
        const token = app.token(org);
        const isAllowed = allowed.some((one) => one === org);
        expect((await app.ask('', { token })).status).toBe(isAllowed ? 200 : 403);
        const rotated = await app.ask('/identity/retire', { key: 'B1', token });
        expect(rotated.status).toBe(isAllowed ? 200 : 403);
      }
      expect(await app.stored('identity')).toBe(allowed.length > 0 ? 'A1 signing, B1 retired' : BEFORE);
    }
  });
});

test('an organisation that alone has clients is not the platform’s for it', async () => {
  app = await startKeysApp(['acme'], ['platform', 'acme']);
  const token = app.token('acme');
  expect((await app.ask('', { token })).status).toBe(403);
  expect((await app.ask('/identity/retire', { key: 'B1', token })).status).toBe(403);
  expect(await app.stored('identity')).toBe(BEFORE);
});

describe('nobody else comes in', () => {
  const PATHS = ['', '/issuer/rotate', '/issuer/retire'];

  test.for([
    ['without a token', '', 401],
    ['with a token of nobody', 'x.y.z', 401],
    ['with the right for one server', 'narrow', 403],
    ['with another right', 'steward', 403],
  ] as const)('%s', async ([, scope, status]) => {
    const { ask, token, stored, records } = await start();
    const given = status === 401 ? scope : token('acme', scope);
    for (const path of PATHS) {
      const answer = await ask(path, { token: given, ...(path === '' ? {} : { key: 'B1' }) });
      expect(answer.status).toBe(status);
    }
    expect(await stored()).toBe(BEFORE);
    expect(records).toHaveLength(3);
    for (const record of records) expect(record).toMatchObject({ area: 'keys', decision: 'deny' });
  });
});

describe('a rotation', () => {
  test('is refused until everybody knows the key, and says for how long', async () => {
    const { ask, stored } = await start();
    app.nowSeconds = NOW_SECONDS + 15;
    const early = await ask('/issuer/rotate', { key: 'B1' });
    expect([early.status, early.headers.get('retry-after')]).toEqual([412, '300']);
    expect(await early.json()).toMatchObject({
      code: 'failed_precondition',
      detail: expect.stringContaining('300 s'),
    });
    expect(await stored()).toBe(BEFORE);
  });

  test('hands over, says what is next, and asked again changes nothing', async () => {
    const { ask, stored, records } = await start();
    app.nowSeconds += STANDBY_SECONDS;
    for (const key of ['B1', 'issuer-B1']) {
      const answer = await ask('/issuer/rotate', { key });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({
        keys: [
          { name: 'A1', state: 'retiring', refused_at: app.nowSeconds + OVERLAP_SECONDS.access },
          { name: 'B1', state: 'signing' },
        ],
        next: { step: 'deploy', key: 'A2' },
      });
    }
    expect([await stored(), await stored('identity')]).toEqual(['A1 retiring, B1 signing', BEFORE]);
    const about = { area: 'keys', method: 'rotate_key', name: 'issuer/issuer-B1', client_id: 'acme-admin' };
    expect(records.slice(0, 2)).toMatchObject([
      { ...about, event: 'decision', decision: 'allow', reason: 'manage_secrets' },
      { ...about, event: 'outcome', reason: 'done' },
    ]);
    app.nowSeconds += OVERLAP_SECONDS.access;
    app.nowSeconds -= 1;
    const fresh = async () => JSON.parse(await (await ask('')).text()).issuer.keys[0];
    expect(await fresh()).toMatchObject({ state: 'retiring' });
    app.nowSeconds += 1;
    expect(await fresh()).toMatchObject({ state: 'retired' });
  });

  test('to a key that KMS does not let one use is not made', async () => {
    const { ask, stored, records } = await start({ confirmKey: down });
    app.nowSeconds += STANDBY_SECONDS;
    const refused = await ask('/identity/rotate', { key: 'B1' });
    expect(refused.status).toBe(503);
    expect(await refused.text()).toContain('the key B1 cannot be read where it is kept');
    expect(await stored('identity')).toBe(BEFORE);
    expect(records.at(-1)).toMatchObject({ event: 'outcome', reason: 'unusable_key' });
  });
});

describe('a retirement', () => {
  test('lets the other key sign, whatever KMS says; the last one is kept', async () => {
    const { ask, stored } = await start({ confirmKey: down });
    expect((await ask('/issuer/retire', { key: 'A1' })).status).toBe(200);
    expect(await stored()).toBe('A1 retired, B1 signing');
    const last = await ask('/issuer/retire', { key: 'B1' });
    expect(last.status).toBe(412);
    expect(await last.json()).toMatchObject({ detail: expect.stringContaining('deploy a fresh one') });
    expect(await stored()).toBe('A1 retired, B1 signing');
    expect((await ask('/issuer/rotate', { key: 'A1' })).status).toBe(503);
  });
});

describe('nothing changes', () => {
  test('where it cannot be recorded', async () => {
    const { ask, stored } = await start({ audit: { write: down } });
    expect((await ask('')).status).toBe(503);
    expect((await ask('/issuer/retire', { key: 'A1' })).status).toBe(503);
    expect(await stored()).toBe(BEFORE);
  });

  test('where the ring cannot be written', async () => {
    await start();
    const { read } = app.ports.keyRing;
    let isUp = true;
    const flaky = await startKeysApp(['acme'], [], {
      keyRing: {
        read,
        change: (decide) => (isUp ? app.ports.keyRing.change(decide) : down()),
      },
    });
    isUp = false;
    expect((await flaky.ask('/issuer/retire', { key: 'A1' })).status).toBe(503);
    await flaky.close();
    expect(await app.stored()).toBe(BEFORE);
  });

  test.for([
    ['/issuer/rotate', 'C9', 404],
    ['/issuer/retire', 'identity-A1', 404],
    ['/access/rotate', 'B1', 404],
    ['/toString/rotate', 'B1', 404],
    ['/issuer/rotate', '', 400],
    ['/issuer/rotate', 7, 400],
    ['/issuer/rotate', null, 400],
    ['/issuer/rotate', 'x'.repeat(5_000), 413],
  ] as const)('%s with the key %s', async ([path, key, status]) => {
    const { ask, stored } = await start();
    expect((await ask(path, { key })).status).toBe(status);
    expect(await stored()).toBe(BEFORE);
  });

  test('with a body of another shape', async () => {
    const { fetch, token, stored } = await start();
    for (const body of ['', '[]', '{"key":"B1","key":"A1"}', '{"key":"A1","force":true}', 'key=A1']) {
      const headers = { authorization: `Bearer ${token()}` };
      const answer = await fetch('/admin/keys/issuer/retire', { method: 'POST', headers, body });
      expect(answer.status).toBe(400);
    }
    expect(await stored()).toBe(BEFORE);
  });
});
