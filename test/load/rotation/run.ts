import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { run } from '../../cli/terminal.ts';
import { startForLoad } from '../isolation/local-cloud.ts';
import { AGENTS, configurationOf, KEEPER } from './configuration.ts';
import { readJwks, startIdentityServer, startRotationLoad } from './load.ts';
import { KINDS, type Kind, startParty } from './party.ts';
import { rotateUnderLoad } from './secrets.ts';

const POLL_MS = 20;

const { values } = parseArgs({
  options: {
    /** How long tokens are used on after both keys were rotated. */
    minutes: { type: 'string', default: '2' },
    /** What each of the four workers waits between its turns. */
    'pause-ms': { type: 'string', default: '0' },
    /** `secrets` leaves the signing keys as they are, `keys` the secrets. */
    only: { type: 'string', default: 'secrets,keys' },
  },
});

const upstream = await startIdentityServer();
const party = await startParty();
const AGENT = AGENTS[0];
const cloud = await startForLoad({
  config: configurationOf(upstream.origin, party.origin),
  clients: [...AGENTS, KEEPER],
  credentials: Object.fromEntries(
    KINDS.map((kind) => [
      `sallyport/{stage}/credentials/acme/${kind}/client.${AGENT}`,
      JSON.stringify(party.next(kind)),
    ]),
  ),
});
const { origin } = cloud;
const env = { SALLYPORT_ORIGIN: origin, SALLYPORT_CLIENT_SECRET: `${KEEPER}-secret` };

async function sallyport(argv: readonly string[], input?: string): Promise<void> {
  say(`$ sallyport ${argv.join(' ')}`);
  const given = input === undefined ? { env } : { env, input };
  const { code, out, notes } = await run([...argv, '--client', KEEPER], given);
  for (const line of [notes, out]) if (line !== '') console.log(line);
  if (code !== 0) throw new Error(`exit code ${code}`);
}

const keys = (...argv: string[]) => sallyport(['keys', ...argv]);

function say(line: string): void {
  console.log(`\n${new Date().toISOString()} ${line}`);
}

async function rotateSecrets(): Promise<boolean> {
  const answer = await fetch(`${origin}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${AGENT}:${AGENT}-secret`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const token: string = JSON.parse(await answer.text()).access_token;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read"}}';
  const secret = (verb: string, kind: Kind, value?: object) =>
    sallyport(['secret', verb, kind, `client.${AGENT}`], value && JSON.stringify(value));
  const reports = await rotateUnderLoad(
    party,
    {
      put: (kind, value) => secret('put', kind, value),
      rotate: (kind, value) => secret('rotate', kind, value),
      promote: (kind) => secret('promote', kind),
    },
    async (kind) => {
      const response = await fetch(`${origin}/${kind}/mcp`, { method: 'POST', headers, body });
      return { status: response.status, text: await response.text() };
    },
  );
  say('secrets, each rotated in two steps and at once');
  for (const [kind, { calls, failed }] of reports) {
    console.log(`  ${kind}: ${calls} calls, ${failed.length} failed`);
    for (const line of failed.slice(0, 5)) console.log(`    ${line}`);
  }
  return [...reports.values()].every(({ failed }) => failed.length === 0);
}

async function rotateKeys(): Promise<boolean> {
  const load = startRotationLoad(origin, Number(values['pause-ms']));
  await wait(2_000);
  await keys('status');
  upstream.trust(await readJwks(origin), origin, load.report);
  await keys('rotate', 'issuer', '--wait');
  await keys('rotate', 'identity', '--wait');
  await wait(Number(values.minutes) * 60_000);
  const [old = '', ...others] = load.inUse;
  const report = await load.stop();
  await upstream.settle();
  say(`${report.tokens} tokens, ${report.calls} answers, ${report.identities} identity tokens at the server`);
  for (const [signer, times] of report.signers) console.log(`  ${times} signed by ${signer}`);
  console.log(`  ${report.denials.length} denials`);
  for (const denial of report.denials.slice(0, 20)) console.log(`  ${denial}`);

  await keys('retire', 'issuer', 'A1', '--now');
  const startedAt = performance.now();
  const statusOf = async (path: string) =>
    (await fetch(`${origin}${path}`, { headers: { authorization: `Bearer ${old}` } })).status;
  for (const path of ['/me', '/context/documents', '/runs/none']) {
    while ((await statusOf(path)) !== 401) await wait(POLL_MS);
    say(`${path} refuses what A1 signed after ${Math.round(performance.now() - startedAt)} ms`);
  }
  await keys('status');
  return report.denials.length === 0 && others.length > 0;
}

try {
  const chosen = values.only.split(',');
  const areSecretsGood = !chosen.includes('secrets') || (await rotateSecrets());
  const areKeysGood = !chosen.includes('keys') || (await rotateKeys());
  process.exitCode = areSecretsGood && areKeysGood ? 0 : 1;
} finally {
  await cloud.close();
  await upstream.close();
  await party.close();
}
