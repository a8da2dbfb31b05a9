import { gzipSync } from 'node:zlib';
import type { Action } from '../../functions/core/action.ts';
import type { Caller } from '../../functions/core/caller.ts';
import { compileConfiguration } from '../../functions/core/configuration/compile.ts';
import { decide } from '../../functions/core/decide.ts';
import { parseJsonText } from '../../functions/core/json.ts';
import { Policy, type Snapshot } from '../../functions/core/policy.ts';
import { callerOf, clientEntry } from '../support/policies.ts';
import { NOW_SECONDS, TestIssuer } from '../support/test-issuer.ts';
import { median } from './statistics.ts';

const SIZES = [10, 1_000, 10_000] as const;
const MAX_SERVERS = 1_000;
const SCOPES = 100;
const ROUNDS = 9;
const DECISIONS = 20_000;

/** What one decision costs as the policy grows, and what it costs to compile, store, load and hold the policy. In CPU time. */
export function measureDecisions(): void {
  const issuer = new TestIssuer();
  console.log(
    '\nrules    compile ms  JSON kB  stored kB  load ms  heap MB   decision µs: allow  refuse  deny  constrained  in hours',
  );
  for (const size of SIZES) measureSize(issuer, size);
}

function measureSize(issuer: TestIssuer, size: number): void {
  const files = configurationOf(size);
  const compileMs = median(Array.from({ length: 3 }, () => timed(() => compiled(files)).ms));
  const snapshot = compiled(files);
  const json = JSON.stringify(snapshot);
  const before = heapUsed();
  const { value: policy, ms: loadMs } = timed(() => new Policy(withClient(JSON.parse(json)), 1));
  const heapMegabytes = (heapUsed() - before) / 1e6;
  const caller = callerOf(issuer, policy, scopeNames().slice(0, 5));
  const figures = [
    costOf(policy, caller, action('tool-0')),
    costOf(policy, caller, action('unknown')),
    costOf(policy, caller, action('erase')),
    costOf(policy, caller, action('limited')),
    costOf(policy, caller, action('daily')),
  ];
  const cells = [
    String(size).padEnd(8),
    compileMs.toFixed(0).padStart(10),
    (json.length / 1e3).toFixed(0).padStart(8),
    (gzipSync(json).length / 1e3).toFixed(0).padStart(10),
    loadMs.toFixed(1).padStart(8),
    heapMegabytes.toFixed(1).padStart(8),
    figures.map((figure) => figure.toFixed(2).padStart(9)).join(''),
  ];
  console.log(cells.join(' '));
}

function costOf(policy: Policy, caller: Caller, asked: Action): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const { ms } = timed(() => {
      for (let index = 0; index < DECISIONS; index += 1) decide(policy, caller, asked, NOW_SECONDS);
    });
    return (ms * 1_000) / DECISIONS;
  });
  return median(rounds);
}

function action(name: string): Action {
  const given = parseJsonText('{"limit":50,"symbol":"ACME"}');
  const value = given.ok && given.value instanceof Map ? given.value : 'unseen';
  return { server: 'server-0', kind: 'request', method: 'tools/call', name, arguments: value };
}

function scopeNames(): readonly string[] {
  return Array.from({ length: SCOPES }, (_, index) => `scope-${index}`);
}

/** So many rules, evenly over servers and scopes; on the first server one of each kind beside them. */
function configurationOf(size: number): ReadonlyMap<string, string> {
  const rules = new Map(scopeNames().map((name): [string, string[]] => [name, []]));
  const servers = Math.min(size, MAX_SERVERS);
  for (let index = 0; index < size; index += 1) {
    const list = rules.get(`scope-${Math.floor(index / 10) % SCOPES}`);
    list?.push(
      `  - { server: server-${index % servers}, methods: [initialize, tools/list, tools/call], tools: [tool-${index}, look-${index}] }`,
    );
  }
  rules
    .get('scope-0')
    ?.push(
      '  - { server: server-0, deny: true, tools: [erase] }',
      '  - { server: server-0, methods: [tools/call], tools: [limited], arguments: { limited: { properties: { limit: { type: integer, maximum: 100 }, symbol: { type: string, pattern: "^[A-Z]{1,5}$" } } } } }',
      '  - { server: server-0, methods: [tools/call], tools: [daily], when: { hours: "00:00-23:59", timezone: Europe/Berlin } }',
    );
  const scopes = Array.from(rules, ([name, list]) => `${name}:\n${list.join('\n')}`).join('\n');
  const entries = Array.from(
    { length: servers },
    (_, index) => `  server-${index}: { url: "https://s${index}.example.com/mcp" }`,
  );
  return new Map([
    ['scopes.yml', scopes],
    ['servers.yml', `servers:\n${entries.join('\n')}`],
    ['clients.yml', ''],
  ]);
}

function compiled(files: ReadonlyMap<string, string>): Snapshot {
  const result = compileConfiguration(files);
  if (!result.ok) throw new Error(JSON.stringify(result.error[0]));
  return result.value.snapshot;
}

function withClient(snapshot: Snapshot): Snapshot {
  return { ...snapshot, clients: [clientEntry('courier', { scopes: scopeNames() })] };
}

/** In CPU time, of which a busy machine takes less away than of time. */
function timed<T>(work: () => T): { readonly value: T; readonly ms: number } {
  const before = process.cpuUsage();
  const value = work();
  const { user, system } = process.cpuUsage(before);
  return { value, ms: (user + system) / 1_000 };
}

/** Meaningful under `--expose-gc`; without it the figure is what the process happens to hold. */
function heapUsed(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

if (import.meta.main) measureDecisions();
