import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OVERLAP_SECONDS, publishKeys, STANDBY_SECONDS } from '../../functions/core/key-rotation.ts';
import { ok } from '../../functions/core/result.ts';
import { type LoopbackServer, serveOnLoopback } from '../../local/demo/loopback.ts';
import { type KeysApp, startKeysApp } from '../support/keys-app.ts';
import { offered } from '../support/offered-keys.ts';
import { NOW_SECONDS } from '../support/test-issuer.ts';
import { run } from './terminal.ts';

let app: KeysApp;
let server: LoopbackServer;
/** What happens when the gateway has answered once. */
let afterAnswer: () => void;

beforeEach(async () => {
  app = await startKeysApp();
  afterAnswer = () => {};
  server = await serveOnLoopback(0, async (request) => {
    const body = await request.text();
    const { method, headers } = request;
    const init = { method, headers, ...(body === '' ? {} : { body }) };
    const answer = await app.fetch(new URL(request.url).pathname, init);
    afterAnswer();
    return answer;
  });
});

afterEach(async () => {
  await server.close();
  await app.close();
});

const keys = (...argv: string[]) =>
  run(['keys', ...argv], { env: { SALLYPORT_ORIGIN: server.origin, SALLYPORT_TOKEN: app.token() } });

const timeOf = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

test('status says which keys there are, and what to do next', async () => {
  const { code, out } = await keys('status');
  expect([code, out.split('\n')]).toEqual([
    0,
    [
      'issuer: access tokens and run tokens',
      '  A1  signing  issuer-A1',
      '  B1  standby  issuer-B1',
      `  next: wait ${STANDBY_SECONDS} s, until everybody can know B1; then \`sallyport keys rotate issuer\``,
      '',
      'identity: identity tokens, which servers see',
      '  A1  signing  identity-A1',
      '  B1  standby  identity-B1',
      `  next: wait ${STANDBY_SECONDS} s, until everybody can know B1; then \`sallyport keys rotate identity\``,
    ],
  ]);
  const json = JSON.parse((await keys('status', '--json')).out);
  expect(json.issuer.next).toEqual({ step: 'wait', key: 'B1', seconds: STANDBY_SECONDS });
});

test('an operator is walked through two rotations', async () => {
  const early = await keys('rotate', 'issuer');
  expect([early.code, early.notes]).toEqual([
    1,
    `sallyport: it is too early: wait ${STANDBY_SECONDS} s, until everybody can know B1; then \`sallyport keys rotate issuer\``,
  ]);
  expect(await app.stored()).toBe('A1 signing, B1 standby');

  app.nowSeconds += STANDBY_SECONDS;
  const refusedAt = timeOf(app.nowSeconds + OVERLAP_SECONDS.access);
  const rotated = await keys('rotate', 'issuer');
  expect([rotated.code, rotated.out.split('\n')]).toEqual([
    0,
    [
      'B1 signs now; it is in use everywhere within 15 s, and nothing is refused meanwhile',
      '',
      'issuer: access tokens and run tokens',
      `  A1  retiring issuer-A1  accepted until ${refusedAt}`,
      '  B1  signing  issuer-B1',
      '  next: before another rotation, put a fresh key there: `"issuerKeyA": 2` in the context of cdk.json, then `npx cdk deploy`, or a restart of `sallyport dev`',
    ],
  ]);

  const none = await keys('rotate', 'issuer', '--wait');
  expect([none.code, none.notes]).toEqual([
    1,
    'sallyport: no key stands by: before another rotation, put a fresh key there: `"issuerKeyA": 2` in the context of cdk.json, then `npx cdk deploy`, or a restart of `sallyport dev`',
  ]);

  app.nowSeconds += OVERLAP_SECONDS.access;
  const deployed = [offered('issuer A2'), offered('issuer B1')];
  await app.ports.keyRing.change<never>((ring) => ok(publishKeys(ring, deployed, app.nowSeconds)));
  app.nowSeconds += STANDBY_SECONDS;
  expect((await keys('rotate', 'issuer')).code).toBe(0);
  const { out } = await keys('status');
  expect(out.split('\n').slice(1, 4)).toEqual([
    expect.stringMatching(/^ {2}A1 {2}retired/),
    expect.stringMatching(/^ {2}B1 {2}retiring/),
    expect.stringMatching(/^ {2}A2 {2}signing/),
  ]);
});

test('with --wait it rotates as soon as it may', async () => {
  app.nowSeconds = NOW_SECONDS + STANDBY_SECONDS - 1;
  afterAnswer = () => {
    app.nowSeconds = NOW_SECONDS + STANDBY_SECONDS;
  };
  const { code, out, notes } = await keys('rotate', 'identity', '--wait', '--json');
  expect([code, notes]).toEqual([0, 'waiting 1 s, until everybody can know B1']);
  expect(JSON.parse(out)).toMatchObject({ keys: [{ state: 'retiring' }, { state: 'signing' }] });
});

test('a key is retired at once, by name or id, and the last one is not', async () => {
  const { code, out } = await keys('retire', 'issuer', 'A1', '--now');
  expect(code).toBe(0);
  expect(out).toContain('A1 is refused now, everywhere within 15 s');
  expect(await app.stored()).toBe('A1 retired, B1 signing');
  expect((await keys('retire', 'identity', 'identity-B1', '--now')).code).toBe(0);
  expect(await app.stored('identity')).toBe('A1 signing, B1 retired');
  const last = await keys('retire', 'issuer', 'B1', '--now');
  expect([last.code, last.notes]).toEqual([
    1,
    'sallyport: 412 Precondition Failed: no other key could sign; deploy a fresh one into the other slot first (request r-1)',
  ]);
});

test('who may not is told by the gateway', async () => {
  const env = { SALLYPORT_ORIGIN: server.origin, SALLYPORT_TOKEN: app.token('acme', 'steward') };
  const { code, notes } = await run(['keys', 'status'], { env });
  expect([code, notes]).toEqual([1, expect.stringContaining('sallyport: 403 Forbidden: access denied')]);
});

describe('nothing is asked where the command line is wrong', () => {
  test.for([
    [['revolve', 'issuer'], '`revolve` is not one of status, rotate, retire'],
    [['status', 'issuer'], 'too many arguments'],
    [['rotate'], 'say which key: issuer or identity'],
    [['rotate', 'access'], 'say which key'],
    [['rotate', 'issuer', 'B1'], 'too many arguments'],
    [['retire', 'issuer'], '`keys status` lists them'],
    [['retire', 'issuer', 'A1'], 'add --now'],
  ] as const)('%j', async ([argv, message]) => {
    const { code, notes } = await keys(...argv);
    expect(code).toBe(2);
    expect(notes).toContain(message);
    expect(app.records).toEqual([]);
  });

  test('without a token', async () => {
    const { code, notes } = await run(['keys', 'status'], { env: { SALLYPORT_ORIGIN: server.origin } });
    expect([code, notes]).toEqual([2, expect.stringContaining('a token is missing')]);
  });
});
