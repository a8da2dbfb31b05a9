import { expect, test } from 'vitest';
import { startSallyport } from '../support/sallyport.ts';
import { runCloudIsolation } from './cloud-isolation.ts';

test('60 callers at once through the whole local cloud see nothing of one another', {
  timeout: 240_000,
}, async () => {
  const report = await runCloudIsolation({
    requests: 300,
    seed: 20_261_121,
    orgs: 5,
    concurrency: 8,
    start: startSallyport,
  });
  expect(report.findings).toEqual([]);
  expect(report).toMatchObject({ leaks: 0, faults: 0, callers: 60, orgs: 5 });
  expect(report.upstreamCalls).toBeGreaterThan(180);
  expect(report.auditRecords).toBeGreaterThan(450);
  expect(report.affected).toBeLessThan(10);
  for (const channel of ['answer', 'upstream', 'log', 'audit'] as const) {
    expect(report.seen.get(channel), channel).toBeGreaterThan(10);
  }
});
