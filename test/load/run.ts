import { parseArgs } from 'node:util';
import { type IsolationReport, runIsolation } from './isolation.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
const requests = wholeNumber('requests', values.requests);
const seed = wholeNumber('seed', values.seed);

console.log(`seed ${seed}; the same again: npm run load -- --seed ${seed}`);
const report = await runHandlers();
process.exitCode = report.leaks + report.faults > 0 ? 1 : 0;

async function runHandlers(): Promise<IsolationReport> {
  const startedAt = performance.now();
  const every = Math.max(1_000, Math.round(requests / 20_000) * 1_000);
  const found = await runIsolation({
    requests,
    seed,
    onProgress: (done) => {
      if (done % every === 0) console.log(`  ${done} of ${requests}, ${perSecond(done, startedAt)}`);
    },
  });
  console.log(
    `\nisolation at handler level: ${found.requests} requests of ${found.callers} callers of ${found.orgs} organisations, ` +
      `${perSecond(found.requests, startedAt)}`,
  );
  console.log(`${found.upstreamCalls} calls upstream, ${found.auditRecords} audit records`);
  console.log(
    `${found.aborted} aborted, ${found.disturbed} with an injected fault, ${found.affected} more that felt one`,
  );
  console.log(Array.from(found.purposes, ([purpose, count]) => `${count} ${purpose}`).join(', '));
  console.log(
    `canaries looked at: ${Array.from(found.seen, ([channel, count]) => `${count} in ${channel}`).join(', ')}`,
  );
  for (const { sort, request, what } of found.findings) console.log(`${sort} (request ${request}): ${what}`);
  console.log(`leaks ${found.leaks}, other faults ${found.faults}`);
  return found;
}

function perSecond(count: number, startedAt: number): string {
  return `${Math.round(count / ((performance.now() - startedAt) / 1000))} per second`;
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  console.error(`--${name} is a whole number`);
  process.exit(2);
}
