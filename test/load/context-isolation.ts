import { randomBytes } from 'node:crypto';
import { createContextTable } from '../../functions/aws/context-table.ts';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import { toPartition } from '../../functions/aws/documents/rows.ts';
import type { DocumentStore } from '../../functions/core/documents/ports.ts';
import { ok } from '../../functions/core/result.ts';
import { Sealer } from '../../functions/core/seal.ts';
import { createContextStore } from '../../functions/handlers/context-store.ts';
import { MemoryContextTable } from '../support/context-memory.ts';
import { UNASKED } from '../support/counters.ts';
import { ingressOver } from '../support/ingress.ts';
import { clientEntry, policyOf } from '../support/policies.ts';
import { rulesOf } from '../support/rules.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';
import {
  type ContextParty,
  type ContextPlan,
  isVisibleTo,
  makeParties,
  marksIn,
  ORG_IDS,
  planContext,
  remember,
} from './context-plan.ts';
import { Random } from './random.ts';

/** What came of a run. */
export type ContextReport = {
  readonly operations: number;
  readonly callers: number;
  /** How often each operation was answered with which status. */
  readonly answers: ReadonlyMap<string, number>;
  /** Marks of documents that answers had, each looked at. */
  readonly marks: number;
  /** Marks of documents that their reader must not see, and foreign documents that were acted on. */
  readonly leaks: number;
  /** What is neither an answer that was expected nor a leak. */
  readonly faults: number;
  readonly findings: readonly string[];
  /** Calls for another partition than the session's that were refused below the code. */
  readonly refused: number;
};

/** Documents are called by several callers of a namespace at once; each holds one request. */
const CONCURRENCY = 32;
const MAX_FINDINGS = 20;

const TOOLS = 'create write edit push pull query search info read delete link'
  .split(' ')
  .map((verb) => `doc_${verb}`);

/** Keys are dear to make, and every run may have the same. */
const ISSUER = new TestIssuer();

/**
 * Callers of several organisations, namespaces and filters at the context store, all at once: the real handlers over the real adapters over a
 * table in memory, which refuses a session every partition but its own. They use what they know of others: ids, cursors, words.
 * `spoil` puts a fault into the documents, to show that it is found.
 */
export async function runContextIsolation(options: {
  readonly operations: number;
  readonly seed: number;
  readonly spoil?: (documents: DocumentStore) => DocumentStore;
  readonly onProgress?: (done: number) => void;
}): Promise<ContextReport> {
  const { operations, seed, spoil = (documents) => documents } = options;
  const memory = new MemoryContextTable();
  const parties = makeParties((claims, header) => ISSUER.accessToken(claims, header));
  const app = createApp(memory, parties, spoil);
  const answers = new Map<string, number>();
  const findings: string[] = [];
  const counts = { marks: 0, leaks: 0, faults: 0 };
  const find = (sort: 'leaks' | 'faults', what: string): void => {
    counts[sort] += 1;
    if (findings.length < MAX_FINDINGS) findings.push(`${sort}: ${what}`);
  };
  const serve = async (number: number): Promise<void> => {
    const random = new Random(seed, number);
    const party = random.pick(parties);
    const plan = planContext(random, party, parties, number);
    const { signal } = new AbortController();
    const invocation = { requestId: `r-${number}`, origin: ORIGIN, sourceIp: '127.0.0.1', signal };
    const request = new Request(`${ORIGIN}${plan.path}`, {
      method: plan.method,
      headers: { ...plan.headers, authorization: `Bearer ${party.token}` },
      body: plan.body ?? null,
    });
    const response = await app.fetch(request, { ...invocation, waitUntil: () => {} });
    const text = await response.text();
    const key = `${plan.operation} ${response.status}`;
    answers.set(key, (answers.get(key) ?? 0) + 1);
    judge(party, plan, response.status, text);
    remember(party, plan, response, text);
  };
  const judge = (party: ContextParty, plan: ContextPlan, status: number, text: string): void => {
    for (const mark of marksIn(text)) {
      counts.marks += 1;
      // What a caller said itself comes back to it in errors and descriptions.
      const isOwnWord = plan.said.includes(mark.text);
      if (!isOwnWord && !isVisibleTo(party, mark)) find('leaks', `${plan.operation} showed ${mark.text}`);
    }
    const isDone = status < 300 && !text.includes('"isError":true');
    if (plan.isForeign && isDone) find('leaks', `${plan.operation} on a foreign document: ${status}`);
    if (status >= 500 || status === 401) find('faults', `${plan.operation}: ${status} ${text.slice(0, 200)}`);
  };
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < operations) {
      const number = next;
      next += 1;
      await serve(number);
      if (number % 1_000 === 999) options.onProgress?.(number + 1);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return { operations, callers: parties.length, answers, findings, refused: memory.refused, ...counts };
}

function createApp(
  memory: MemoryContextTable,
  parties: readonly ContextParty[],
  spoil: (documents: DocumentStore) => DocumentStore,
) {
  const clock = () => NOW_SECONDS;
  const policy = policyOf({
    ...rulesOf(`s: [{ server: context-store, methods: [tools/call], tools: ${JSON.stringify(TOOLS)} }]`),
    orgs: ORG_IDS.map((id) => ({ id, suspended: false })),
    clients: parties.map(({ clientId, org, scope }) =>
      clientEntry(clientId, {
        org: ORG_IDS[org] ?? '',
        scopes: ['s', 'runs/issue'],
        namespace: scope.namespace,
        scopeFilters: scope.scope_filters,
        runNamespaces: [scope.namespace],
      }),
    ),
  });
  const sealer = new Sealer([randomBytes(32).toString('hex')]);
  const tables = async ({ orgId, namespace }: { readonly orgId: string; readonly namespace: string }) =>
    ok(createContextTable(memory.client(toPartition(orgId, namespace)), 'context', clock));
  return createContextStore({
    ingress: ingressOver({ policy, keys: ISSUER.keys }, clock),
    audit: { write: async () => ok(undefined) },
    allowedOrigins: [],
    now: () => NOW_SECONDS * 1_000,
    log: () => {},
    documents: (seal) => spoil(createDocumentStore({ tables, seal, clock })),
    sealer: async () => sealer,
    randomBytes,
    counter: UNASKED,
    clock,
  });
}
