import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { BrowserAgent, type Shown } from '../support/browser-agent.ts';
import { type Sallyport, startDemoCloud } from '../support/sallyport.ts';

const ROOT = join(import.meta.dirname, '..', '..');

let cloud: Sallyport;

beforeAll(async () => {
  cloud = await startDemoCloud();
});
afterAll(() => cloud?.close());

/** `sallyport login`, up to the page that it asks the person to open. */
async function startLogin(...args: readonly string[]) {
  const child: ChildProcess = spawn(
    process.execPath,
    ['cli/main.ts', 'login', ...args, '--no-browser', '--origin', cloud.origin],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  onTestFinished(() => void child.kill());
  let [out, notes] = ['', ''];
  child.stdout?.on('data', (chunk) => {
    out += chunk;
  });
  const url = new Promise<string>((resolve) => {
    if (child.stderr === null) return;
    createInterface(child.stderr).on('line', (line) => {
      notes += `${line}\n`;
      if (line.startsWith('http')) resolve(line);
    });
  });
  const ended = once(child, 'close').then(([code]) => ({ code: Number(code), out: out.trim(), notes }));
  return { url: await url, ended };
}

/** Allows it as one of the demo company's people; the last page that the browser sees. */
async function logInAs(person: RegExp, url: string): Promise<Shown> {
  const browser = new BrowserAgent(() => false);
  const company = await browser.submit(await browser.open(url));
  return browser.submit(company, (text) => person.test(text));
}

test('Ada logs in, and her token calls the server', async () => {
  const { url, ended } = await startLogin('weather', '--json');
  const last = await logInAs(/^Ada/, url);
  expect([last.status, last.text]).toEqual([200, expect.stringContaining('You may close this page.')]);
  expect(last.headers.get('content-security-policy')).toContain("default-src 'none'");
  const { code, out, notes } = await ended;
  const issued = JSON.parse(out);
  expect([code, issued.token_type, typeof issued.refresh_token]).toEqual([0, 'Bearer', 'string']);
  expect(notes).not.toContain(issued.access_token);
  const listed = await fetch(`${cloud.origin}/weather/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${issued.access_token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
  });
  expect(await listed.text()).toContain('forecast');
});

describe('it says why nobody was logged in', () => {
  test('who is in no group', async () => {
    const { url, ended } = await startLogin('weather');
    await logInAs(/^Eve/, url);
    expect(await ended).toMatchObject({ code: 1, out: '', notes: expect.stringContaining('access_denied') });
  });

  test('who is asked and says no', async () => {
    const { url, ended } = await startLogin('weather');
    const browser = new BrowserAgent(() => false);
    await browser.submit(await browser.open(url), (text) => /deny|cancel|no/i.test(text));
    expect(await ended).toMatchObject({ code: 1, notes: expect.stringContaining('access_denied') });
  });

  test('a server’s name that is none', async () => {
    const child = spawn(process.execPath, ['cli/main.ts', 'login', '../x'], { cwd: ROOT, stdio: 'ignore' });
    expect(await once(child, 'close')).toEqual([2, null]);
  });
});

test('an answer that does not know the state, or comes from another issuer, is not the answer', async () => {
  const { url, ended } = await startLogin('weather');
  const asked = new URL(url).searchParams;
  const back = asked.get('redirect_uri') ?? '';
  expect((await fetch(`${back}?code=stolen&state=guessed&iss=${cloud.origin}`)).status).toBe(404);
  expect((await fetch(back.replace('/callback', '/'))).status).toBe(404);
  const state = asked.get('state') ?? '';
  expect((await fetch(`${back}?code=mixed-up&state=${state}&iss=https://evil.example.com`)).status).toBe(200);
  expect(await ended).toMatchObject({ code: 1, notes: expect.stringContaining('another issuer') });
});
