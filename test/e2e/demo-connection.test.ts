import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../cli/terminal.ts';
import { BrowserAgent } from '../support/browser-agent.ts';
import { type Sallyport, startDemoCloud } from '../support/sallyport.ts';
import { startCommand } from '../support/started-command.ts';

let cloud: Sallyport;
const directory = mkdtempSync(join(tmpdir(), 'sallyport-token-'));

beforeAll(async () => {
  cloud = await startDemoCloud();
});
afterAll(async () => {
  await cloud?.close();
  rmSync(directory, { recursive: true, force: true });
});

test('a newcomer calls a tool, is told what to open, connects an account, and calls again', async () => {
  const browser = new BrowserAgent(() => false);
  const login = startCommand(['login', 'carrier', '--no-browser', '--origin', cloud.origin]);
  await expect.poll(() => login.notes.at(-1), { timeout: 30_000 }).toMatch(/^http/);
  const atCompany = await browser.submit(await browser.open(login.notes.at(-1) ?? ''));
  await browser.submit(atCompany, (text) => /^Ada/.test(text));
  expect(await login.ended).toBe(0);
  const tokenFile = join(directory, 'my.token');
  writeFileSync(tokenFile, login.out.join(''));
  const call = () =>
    run(['mcp', 'call', 'carrier', 'my_parcels', '--origin', cloud.origin, '--token-file', tokenFile]);

  const refused = await call();
  expect(refused.code).not.toBe(0);
  const [url = ''] = /http\S+\/connect\/carrier\?t=[A-Za-z0-9_-]+/.exec(refused.notes) ?? [];
  let page = await browser.open(url);
  // The pages of the gate want a sign-in of their own, for the same person.
  if (page.text.includes('name="return_to"')) {
    const company = await browser.submit(page);
    page = await browser.submit(company, (text) => /^Ada/.test(text));
  }
  expect(page.text).toContain('Connect your account at Demo carrier?');
  const atCarrier = await browser.submit(page, (text) => /^Connect at/.test(text));
  expect(atCarrier.text).toContain('This stands in for a third party');
  const done = await browser.submit(atCarrier, (text) => /^Yes, as ada/.test(text));
  expect(done.text).toContain('Demo carrier is connected');

  const answered = await call();
  expect([answered.code, answered.out]).toEqual([0, expect.stringContaining('at the door')]);
});
