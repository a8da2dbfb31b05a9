import { expect, test } from 'vitest';
import { Caller } from '../../functions/core/caller.ts';
import { err, ok } from '../../functions/core/result.ts';
import { createCredentials } from '../../functions/handlers/credentials.ts';
import { NO_CONNECTIONS } from '../support/no-connections.ts';
import { clientEntry, policyOf, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';
import { decodeToken } from '../support/token-forge.ts';
import { NO_TOKEN_ENDPOINT } from '../support/token-ports.ts';

const issuer = new TestIssuer();
const server = serverEntry('fin', { egress: { mode: 'identity', key: 'client', fallback: 'none' } });

/** Credentials whose identity tokens are signed at this second, and how many were. */
function connect(time = { seconds: NOW_SECONDS }) {
  const signed: string[] = [];
  const credentials = createCredentials({
    ...NO_CONNECTIONS,
    ...NO_TOKEN_ENDPOINT,
    secrets: { read: async () => err({ reason: 'missing', detail: 'none' }) },
    identityKey: {
      publicKey: async () => ok(issuer.identity.published),
      async sign(signingInput) {
        signed.push(signingInput);
        const [header = '', payload = ''] = signingInput
          .split('.')
          .map((part) => Buffer.from(part, 'base64url').toString());
        return ok(issuer.sign(header, payload, issuer.identity).split('.')[2] ?? '');
      },
    },
    stage: 'test',
    now: () => time.seconds * 1000,
  });
  const put = async (caller: Caller) => {
    const outgoing = { url: new URL(server.url), headers: new Map<string, string>() };
    const context = { origin: ORIGIN, callerAuthorization: null, refused: undefined };
    const done = await credentials.put({ caller, target: server, outgoing, ...context });
    return done.ok ? (outgoing.headers.get('authorization')?.replace('Bearer ', '') ?? '') : done.error;
  };
  return { put, signed, time };
}

function callerOf(claims: Readonly<Record<string, unknown>>, groups: readonly string[]): Caller {
  const policy = policyOf({ clients: [clientEntry('courier', { groups })] });
  const caller = Caller.fromToken(issuer.verified(claims), policy);
  if (!caller.ok) throw new Error(`the test's own caller is refused: ${caller.error.reason}`);
  return caller.value;
}

test('one identity token serves a token and server until half of its life, and no longer', async () => {
  const { put, signed, time } = connect();
  const caller = callerOf({}, []);
  const first = await put(caller);
  time.seconds += 149;
  expect(await put(caller)).toBe(first);
  time.seconds += 1;
  expect(await put(caller)).not.toBe(first);
  expect(signed).toHaveLength(2);
});

test('a group that a client has lost is in no identity token from then on', async () => {
  const { put } = connect();
  const claims = { groups: ['staff', 'traders'] };
  const groupsOf = async (caller: Caller) => decodeToken(String(await put(caller)))[1]['groups'];
  expect(await groupsOf(callerOf(claims, ['staff', 'traders']))).toEqual(['staff', 'traders']);
  expect(await groupsOf(callerOf(claims, ['staff']))).toEqual(['staff']);
});

test.for([
  { left: 1, what: 'is minted for' },
  { left: 0, what: 'is not minted, dead at birth, for' },
  { left: -4, what: 'is not minted, dead at birth, for' },
])('an identity token $what a token that has $left s to live', async ({ left }) => {
  const { put, signed } = connect();
  const caller = callerOf({ iat: NOW_SECONDS - 100, exp: NOW_SECONDS + left }, []);
  const token = await put(caller);
  if (left > 0) {
    expect(issuer.verify(String(token), NOW_SECONDS, 'identity')).toMatchObject({ ok: true });
  } else {
    expect(token).toEqual({ reason: 'bad_token', detail: 'expired' });
    expect(signed).toEqual([]);
  }
});
