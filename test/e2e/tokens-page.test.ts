import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GrantCloud, startGrantCloud } from '../support/grant-cloud.ts';
import { companyBrowser, logInAs } from '../support/login-cloud.ts';
import { CODE_VERIFIER, challengeOf } from '../support/logins.ts';
import { secretOf } from '../support/sallyport.ts';

const PAGE = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'tokens.md'), 'utf8');
/** Every command of the page that shows its answer, with that. The others are for the demo, or for clients of other kinds. */
const COMMANDS = Array.from(
  PAGE.matchAll(/```sh\n((?:(?!```)[\s\S])*?)\n# (.*)\n```/g),
  ([, command = '', answer = '']) => ({
    command,
    answer,
  }),
);

/** Where the page sends its logins: the port of a loopback address is the client's own (RFC 8252 §7.3). */
const [, REDIRECT_URI = ''] = /redirect_uri=(http:\S+)/.exec(PAGE) ?? [];

let running: GrantCloud;

beforeAll(async () => {
  running = await startGrantCloud();
});
afterAll(() => running?.close());

/** The code of a fresh login through `workbench`. */
async function freshCode(): Promise<string> {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: 'workbench',
    redirect_uri: REDIRECT_URI,
    code_challenge: challengeOf(CODE_VERIFIER),
    code_challenge_method: 'S256',
    scope: 'desk/read desk/execute',
  });
  const end = await logInAs(
    companyBrowser(REDIRECT_URI),
    'ada',
    `${running.cloud.origin}/oauth/authorize?${query}`,
  );
  return new URL(end.url).searchParams.get('code') ?? '';
}

async function freshAssertion(): Promise<string> {
  const response = await fetch(`${running.office.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      subject_token: running.office.idToken('kim'),
      audience: running.cloud.origin,
      resource: `${running.cloud.origin}/prices/mcp`,
      client_id: 'office-program',
    }),
  });
  return JSON.parse(await response.text()).access_token;
}

/** Runs a command of the page as a reader would, with these variables set. */
async function run(command: string, variables: Readonly<Record<string, string>>): Promise<string> {
  const [, clientId = ''] = /-u "([\w-]+):/.exec(command) ?? [];
  const env = { ...process.env, ORIGIN: running.cloud.origin, SECRET: secretOf(clientId), ...variables };
  const { stdout } = await promisify(execFile)('bash', ['-euc', command], { env });
  return stdout;
}

/** The names of the members that the page shows. */
function shownMembers(answer: string): readonly string[] {
  return Array.from(answer.matchAll(/"(\w+)":/g), ([, name = '']) => name);
}

test('every command of the page about tokens that shows its answer gives that, in the order of the page', async () => {
  const variables: Record<string, string> = { VERIFIER: CODE_VERIFIER };
  const before: Readonly<Record<string, () => Promise<Record<string, string>>>> = {
    'grant_type=authorization_code': async () => ({ CODE: await freshCode() }),
    'grant-type:jwt-bearer': async () => ({ ASSERTION: await freshAssertion() }),
    '/tokens"': async () => ({ ACCESS_TOKEN: await running.cloud.token('robot') }),
    '/oauth/introspect': async () => ({
      ACCESS_TOKEN: await running.cloud.token('my-agent', { server: 'prices', scope: 'desk/read' }),
    }),
  };
  expect(COMMANDS).toHaveLength(PAGE.match(/\n# .*\n```\n/g)?.length ?? 0);
  expect(COMMANDS.length).toBeGreaterThan(7);
  for (const { command, answer } of COMMANDS) {
    for (const [part, prepare] of Object.entries(before)) {
      if (command.includes(part)) Object.assign(variables, await prepare());
    }
    const output = await run(command, variables);
    if (!answer.includes('{')) {
      expect([command, output]).toEqual([command, answer]);
      continue;
    }
    const body = JSON.parse(output);
    expect([command, Object.keys(body)]).toEqual([
      command,
      expect.arrayContaining([...shownMembers(answer)]),
    ]);
    const [, scope = body.scope] = /"scope":"([^"]*)"/.exec(answer) ?? [];
    expect([command, body.scope]).toEqual([command, scope]);
    if (typeof body.refresh_token === 'string') variables['REFRESH_TOKEN'] = body.refresh_token;
    if (typeof body.access_token === 'string') variables['ACCESS_TOKEN'] = body.access_token;
  }
});
