import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Policy } from '../../functions/core/policy.ts';
import { ok } from '../../functions/core/result.ts';
import { answerOf, authorizeUrl, type LoginApp, loginClient, startLoginApp } from '../support/login-app.ts';
import { policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { ORIGIN } from '../support/test-issuer.ts';

const SCOPES = ['weather/read', 'market/read', 'every/list', 'runs/issue'];

let login: LoginApp;
let policy: Policy;

beforeAll(async () => {
  login = await startLoginApp(() => ({
    scopes: [
      ['weather/read', [scopeRule('weather', ['initialize', 'tools/list'])]],
      ['market/read', [scopeRule('market', ['initialize', 'tools/list'])]],
      ['every/list', [scopeRule('*', ['initialize'])]],
    ],
    groups: [['staff', SCOPES]],
    servers: [serverEntry('weather'), serverEntry('market'), serverEntry('secret', { org: 'globex' })],
    clients: [
      loginClient('app', { scopes: SCOPES }),
      loginClient('narrow', { scopes: ['market/read'] }),
      loginClient('hub', { scopes: SCOPES, audience: 'gateway' }),
    ],
  }));
  Object.assign(login.app.ports.rulebook, {
    read: () => Promise.resolve(ok({ policy, keys: login.app.issuer.keys })),
  });
});
afterAll(() => login?.close());
beforeEach(() => {
  policy = policyOf(login.parts);
});

const resourceOf = (server: string) => `${ORIGIN}/${server}/mcp`;

async function granted(changes: Readonly<Record<string, string | undefined>>) {
  const answer = await login.login(login.agent(), changes);
  return (await login.storedCode(answer.url))?.grant.scopes ?? answerOf(answer)['error'];
}

test.for<readonly [string, Readonly<Record<string, string | undefined>>, readonly string[] | string]>([
  ['of one server', { resource: resourceOf('weather') }, ['weather/read', 'every/list']],
  ['of another', { resource: resourceOf('market') }, ['market/read', 'every/list']],
  ['of every server', { client_id: 'hub', resource: undefined }, SCOPES],
  ['of a server, with scopes', { resource: resourceOf('weather'), scope: SCOPES.join(' ') }, SCOPES],
  [
    'of a server that no scope of the client is about',
    { client_id: 'narrow', resource: resourceOf('weather') },
    'access_denied',
  ],
])('a login for the tools %s gives what they need', async ([, changes, scopes]) => {
  expect(await granted(changes)).toEqual(scopes);
});

test('what is granted to everybody is reached with the scopes that there are', async () => {
  policy = policyOf({ ...login.parts, defaults: [scopeRule('weather', ['initialize'])] });
  expect(await granted({ client_id: 'narrow', resource: resourceOf('weather') })).toEqual(['market/read']);
  expect(await granted({ resource: resourceOf('weather') })).toEqual(['weather/read', 'every/list']);
});

test('the page tells nobody who is not logged in which servers there are', async () => {
  const shown = async (server: string) => {
    const page = await login.agent().open(authorizeUrl({ resource: resourceOf(server) }));
    return page.text.replaceAll(`erver ${server}`, 'erver NAME').replace(/name="ticket" value="[^"]+"/, '');
  };
  const page = await shown('weather');
  expect(page).toContain('Of these only what concerns this server');
  for (const server of ['market', 'secret', 'no-such-server']) expect(await shown(server)).toBe(page);
});

test('the page shows whoever is logged in what it would be', async () => {
  const browser = login.agent();
  await login.login(browser, { resource: resourceOf('weather') });
  const page = await browser.open(authorizeUrl({ resource: resourceOf('market') }));
  const scopes = [...page.text.matchAll(/<code>([^<]+)<\/code>/g)].map(([, scope]) => scope);
  expect(scopes).toEqual(['market/read', 'every/list']);
  expect(page.text).not.toContain('Of these only');
  const answer = await browser.submit(page, (text) => text.startsWith('Allow as '));
  expect((await login.storedCode(answer.url))?.grant.scopes).toEqual(['market/read', 'every/list']);
  const hidden = await browser.open(authorizeUrl({ resource: resourceOf('secret') }));
  expect(hidden.text).toContain('Of these only');
});
