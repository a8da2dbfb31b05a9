import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDocumentStore } from '../../functions/aws/documents/documents.ts';
import type { Invocation } from '../../functions/core/invocation.ts';
import type { Policy } from '../../functions/core/policy.ts';
import { ok } from '../../functions/core/result.ts';
import { Sealer } from '../../functions/core/seal.ts';
import { createContextStore } from '../../functions/handlers/context-store.ts';
import { cursorSeal } from '../support/context-callers.ts';
import { type EmbeddedContextTable, startContextTable } from '../support/context-table.ts';
import { UNASKED } from '../support/counters.ts';
import { ingressOver } from '../support/ingress.ts';
import { invocationOf } from '../support/invocation.ts';
import { clientEntry, policyOf } from '../support/policies.ts';
import { rulesOf } from '../support/rules.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
let table: EmbeddedContextTable;

beforeAll(async () => {
  table = await startContextTable();
});
afterAll(() => table.close());

/** The context store under a policy, and what it is asked with. */
function storeUnder(policy: Policy) {
  const clock = () => NOW_SECONDS;
  const app = createContextStore({
    ingress: ingressOver({ policy, keys: issuer.keys }, clock),
    audit: { write: async () => ok(undefined) },
    allowedOrigins: [],
    now: () => NOW_SECONDS * 1_000,
    log: () => {},
    documents: () => createDocumentStore({ tables: table.tables(clock), seal: cursorSeal(), clock }),
    sealer: async () => new Sealer(['0'.repeat(64)]),
    randomBytes,
    counter: UNASKED,
    clock,
  });
  const { signal } = new AbortController();
  const invocation: Invocation = invocationOf({ signal });
  return { app, invocation };
}

/** The statuses of both doors to a list of documents, under these rules: by REST, and as the tool `doc_query`. */
async function doors(rule: string): Promise<readonly [rest: number, tool: string]> {
  const policy = policyOf({
    ...rulesOf(`s:\n  - { server: context-store, methods: [tools/call], ${rule} }`),
    clients: [clientEntry('courier', { scopes: ['s'], namespace: 'proj' })],
  });
  const { app, invocation } = storeUnder(policy);
  const authorization = `Bearer ${issuer.accessToken({ scope: 's', namespace: 'proj' })}`;
  const rest = await app.fetch(
    new Request(`${ORIGIN}/context/documents`, { headers: { authorization } }),
    invocation,
  );
  const body =
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"doc_query","arguments":{"limit":5}}}';
  const headers = {
    authorization,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const called = await app.fetch(
    new Request(`${ORIGIN}/context-store/mcp`, { method: 'POST', headers, body }),
    invocation,
  );
  const text = await called.text();
  return [rest.status, text.includes('access denied') ? 'denied' : called.status === 200 ? 'done' : text];
}

describe('both doors of the context store', () => {
  test('are opened by one rule', async () => {
    expect(await doors('tools: [doc_query]')).toEqual([200, 'done']);
    expect(await doors('tools: [doc_read]')).toEqual([403, 'denied']);
  });

  test('are no way around a constraint: a REST request has no arguments to hold it against', async () => {
    const limited = (most: number) =>
      `tools: [doc_query], arguments: { doc_query: { properties: { limit: { type: integer, maximum: ${most} } } } }`;
    expect(await doors(limited(10))).toEqual([403, 'done']);
    expect(await doors(limited(1))).toEqual([403, 'denied']);
  });

  test('are closed together by a deny, also by one with constraints where these cannot be looked at', async () => {
    const deny = 'tools: [doc_query] }\n  - { server: context-store, deny: true, tools: [doc_query]';
    expect(await doors(deny)).toEqual([403, 'denied']);
    const many = `${deny}, arguments: { doc_query: { properties: { limit: { minimum: 100 } } } }`;
    expect(await doors(many)).toEqual([403, 'done']);
  });

  test('keep the hours of a rule', async () => {
    const when = (year: number) => `tools: [doc_query], when: { not_before: "${year}-01-01T00:00:00Z" }`;
    expect([await doors(when(2000)), await doors(when(2999))]).toEqual([
      [200, 'done'],
      [403, 'denied'],
    ]);
  });
});

describe('the partitions', () => {
  const ADMIN = 'context/admin:\n  - { server: context-store, methods: [tools/call] }';
  const deny = (words: string) => `${ADMIN}\n  - { server: context-store, deny: true${words} }`;

  test.for<readonly [string, string, object, number]>([
    ['are open to who administers', ADMIN, {}, 200],
    ['are closed by a deny of the store', deny(''), {}, 403],
    ['are closed by a deny of all its tools', deny(', methods: [tools/call]'), {}, 403],
    ['are not closed by a deny of a tool', deny(', tools: [doc_query]'), {}, 200],
    [
      'are not open before the hours of a deny are over',
      deny(', when: { not_after: "2999-01-01T00:00:00Z" }'),
      {},
      403,
    ],
    ['are closed to a token that shows what is public', ADMIN, { token_kind: 'api' }, 403],
  ])('%s', async ([, rules, claims, status]) => {
    const policy = policyOf({
      ...rulesOf(rules),
      clients: [clientEntry('courier', { scopes: ['context/admin'], namespace: 'proj' })],
    });
    const { app, invocation } = storeUnder(policy);
    const token = issuer.accessToken({ scope: 'context/admin', namespace: 'proj', ...claims });
    const request = new Request(`${ORIGIN}/context/partitions`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect((await app.fetch(request, invocation)).status).toBe(status);
  });
});
