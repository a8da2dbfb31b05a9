import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startConnectionCloud } from '../../support/connection-app.ts';
import type { RefreshReport, RefreshWork } from '../../support/refresh-worker.ts';
import { PROVIDER_SECRET, startScriptedProvider } from '../../support/scripted-provider.ts';

const WORKER = join(import.meta.dirname, '..', '..', 'support', 'refresh-worker.ts');
const PROCESSES = 4;
const CALLS = 25;

/** The next thing that a process says. */
function heard(worker: ChildProcess): Promise<RefreshReport> {
  return new Promise((resolve, reject) => {
    worker.once('message', (report: RefreshReport) => resolve(report));
    worker.once('exit', (code) => reject(new Error(`a process ended with ${code}`)));
  });
}

test('a hundred calls in four processes that find the token at its end refresh it once', async () => {
  const cloud = await startConnectionCloud();
  const provider = await startScriptedProvider();
  const workers = Array.from({ length: PROCESSES }, () => fork(WORKER));
  onTestFinished(async () => {
    for (const worker of workers) worker.kill();
    await provider.close();
    await cloud.close();
  });
  const owner = { orgId: 'acme', subject: 'office:ana' };
  await cloud.environment().connect(owner, provider.entry, {
    code: 'c',
    codeVerifier: 'v',
    redirectUri: 'https://gate.example/connect/carrier/callback',
    scopes: [],
  });
  const work: RefreshWork = {
    ...cloud.places,
    secret: PROVIDER_SECRET,
    provider: provider.entry,
    owner,
    calls: CALLS,
    nowMs: cloud.time.ms + 3_600_000,
  };
  await Promise.all(
    workers.map((worker) => {
      const ready = heard(worker);
      worker.send(work);
      return ready;
    }),
  );
  const reports = await Promise.all(
    workers.map((worker) => {
      const done = heard(worker);
      worker.send('go');
      return done;
    }),
  );
  const tokens = reports.flatMap((report) => ('tokens' in report ? report.tokens : []));
  expect(tokens).toHaveLength(PROCESSES * CALLS);
  expect(new Set(tokens)).toEqual(new Set(['access-token-2']));
  expect(provider.grants('refresh_token')).toHaveLength(1);
}, 120_000);
