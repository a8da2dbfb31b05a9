import { parseArgs } from 'node:util';
import { runCloudIsolation } from './cloud-isolation.ts';
import { runContextIsolation } from './context-isolation.ts';
import { startForLoad } from './isolation/local-cloud.ts';
import type { IsolationReport } from './isolation/run.ts';
import { runIsolation } from './isolation.ts';

/** Callers of the cloud run: 60. */
const CLOUD_ORGS = 5;
/** A call that calls out through the gateway holds two of the 16 environments. */
const CLOUD_CONCURRENCY = 8;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    requests: { type: 'string', default: '1000000' },
    'cloud-requests': { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000_000)) },
  },
});
const requests = wholeNumber('requests', values.requests);
const cloudRequests = wholeNumber('cloud-requests', values['cloud-requests']);
const seed = wholeNumber('seed', values.seed);

console.log(`seed ${seed}; the same requests again: npm run load -- --seed ${seed}`);
if (positionals.some((name) => name !== 'context')) {
  console.error('the only part that can be run by itself is `context`');
  process.exit(2);
}
const isContextAlone = positionals.length > 0;
const contextFaults = await reportContext();
const reports = isContextAlone
  ? []
  : [
      await report('isolation at handler level', requests, (onProgress) =>
        runIsolation({ requests, seed, onProgress }),
      ),
      await report('isolation through the local cloud, 16 environments', cloudRequests, (onProgress) =>
        runCloudIsolation({
          requests: cloudRequests,
          seed,
          orgs: CLOUD_ORGS,
          concurrency: CLOUD_CONCURRENCY,
          start: startForLoad,
          onProgress,
        }),
      ),
    ];
const isFaulty = reports.some((found) => found !== undefined && found.leaks + found.faults > 0);
process.exitCode = isFaulty || contextFaults > 0 ? 1 : 0;

async function reportContext(): Promise<number> {
  console.log('\nisolation of documents, in one process');
  const startedAt = performance.now();
  const found = await runContextIsolation({
    operations: requests,
    seed,
    onProgress: (done) => {
      if (done % 50_000 === 0) console.log(`  ${done} of ${requests}, ${perSecond(done, startedAt)}`);
    },
  });
  console.log(
    `${found.operations} operations of ${found.callers} callers, ${perSecond(requests, startedAt)}`,
  );
  console.log(Array.from(found.answers, ([answer, times]) => `${times} ${answer}`).join(', '));
  console.log(`${found.marks} marks of documents looked at, ${found.refused} calls refused below the code`);
  for (const finding of found.findings) console.log(finding);
  console.log(`leaks ${found.leaks}, other faults ${found.faults}`);
  return found.leaks + found.faults;
}

async function report(
  title: string,
  count: number,
  run: (onProgress: (done: number) => void) => Promise<IsolationReport>,
): Promise<IsolationReport | undefined> {
  if (count === 0) return undefined;
  console.log(`\n${title}`);
  const startedAt = performance.now();
  const every = Math.max(1_000, Math.round(count / 20_000) * 1_000);
  const found = await run((done) => {
    if (done % every === 0) console.log(`  ${done} of ${count}, ${perSecond(done, startedAt)}`);
  });
  const { purposes, seen } = found;
  console.log(
    `${found.requests} requests of ${found.callers} callers of ${found.orgs} organisations, ${perSecond(found.requests, startedAt)}`,
  );
  console.log(`${found.upstreamCalls} calls upstream, ${found.auditRecords} audit records`);
  console.log(
    `${found.aborted} aborted, ${found.disturbed} with an injected fault, ${found.affected} more that felt one`,
  );
  console.log(Array.from(purposes, ([purpose, times]) => `${times} ${purpose}`).join(', '));
  console.log(
    `canaries seen: ${Array.from(seen, ([channel, times]) => `${times} in ${channel}`).join(', ')}`,
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
