import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { run } from '../../cli/terminal.ts';
import { startForLoad } from '../isolation/local-cloud.ts';
import { AGENTS, configurationOf, KEEPER } from './configuration.ts';
import { readJwks, startIdentityServer, startRotationLoad } from './load.ts';

const POLL_MS = 20;

const { values } = parseArgs({
  options: {
    /** How long tokens are used on after both keys were rotated. */
    minutes: { type: 'string', default: '2' },
    /** What each of the four workers waits between its turns. */
    'pause-ms': { type: 'string', default: '0' },
  },
});

const upstream = await startIdentityServer();
const cloud = await startForLoad({
  config: configurationOf(upstream.origin),
  clients: [...AGENTS, KEEPER],
  credentials: {},
});
const { origin } = cloud;
const env = { SALLYPORT_ORIGIN: origin, SALLYPORT_CLIENT_SECRET: `${KEEPER}-secret` };

async function keys(...argv: string[]): Promise<void> {
  say(`$ sallyport keys ${argv.join(' ')}`);
  const { code, out, notes } = await run(['keys', ...argv, '--client', KEEPER], { env });
  for (const line of [notes, out]) if (line !== '') console.log(line);
  if (code !== 0) throw new Error(`exit code ${code}`);
}

function say(line: string): void {
  console.log(`\n${new Date().toISOString()} ${line}`);
}

try {
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
  process.exitCode = report.denials.length > 0 || others.length === 0 ? 1 : 0;
} finally {
  await cloud.close();
  await upstream.close();
}
