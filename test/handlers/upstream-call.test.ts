import { expect, test } from 'vitest';
import type { UpstreamRequest } from '../../functions/core/ports.ts';
import { ok } from '../../functions/core/result.ts';
import { createCredentials } from '../../functions/handlers/credentials.ts';
import { callUpstream } from '../../functions/handlers/upstream-call.ts';
import { callerOf, clientEntry, policyOf, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const caller = callerOf(issuer, policyOf({ clients: [clientEntry('courier')] }), []);
const target = serverEntry('maps', { egress: { mode: 'passthrough', key: 'client', fallback: 'none' } });
const unused = () => Promise.reject(new Error('not asked for here'));
const credentials = createCredentials({
  secrets: { read: unused },
  identityKey: { publicKey: unused, sign: unused },
  stage: 'prod',
  now: () => NOW_SECONDS * 1000,
});

/** The key under which a call of this caller with these headers shares its connection. */
async function isolationKeyOf(callerAuthorization: string | null, traceparent: string): Promise<string> {
  const sent: UpstreamRequest[] = [];
  const send = (request: UpstreamRequest) => {
    sent.push(request);
    return Promise.resolve(
      ok({ status: 200, headers: new Map<string, string>(), body: new Blob([]).stream() }),
    );
  };
  const url = new URL(target.url);
  const headers = new Map([['traceparent', traceparent]]);
  const { signal } = new AbortController();
  const call = {
    caller,
    target,
    method: 'POST',
    url,
    headers,
    body: undefined,
    origin: ORIGIN,
    callerAuthorization,
    signal,
  };
  await callUpstream({ credentials, upstream: { send } }, call);
  return sent[0]?.isolationKey ?? '';
}

test('two credentials of one caller never share a connection, and two calls with one do', async () => {
  const alice = await isolationKeyOf('Bearer alice', 'trace-1');
  expect(await isolationKeyOf('Bearer alice', 'trace-2')).toBe(alice);
  expect(await isolationKeyOf('Bearer bob', 'trace-1')).not.toBe(alice);
  expect(await isolationKeyOf(null, 'trace-1')).not.toBe(alice);
  expect(alice).not.toContain('Bearer');
});
