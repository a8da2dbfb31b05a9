import { expect, test } from 'vitest';
import { auditedCaller, recordedName, shortened, traceIdOf } from '../../../functions/core/audit.ts';
import { Caller } from '../../../functions/core/caller.ts';
import { callerOf, clientEntry, policyOf } from '../../support/policies.ts';
import { TestIssuer } from '../../support/test-issuer.ts';

test.for([
  ['latest', 'latest'],
  ['report?draft#1', 'report?draft#1'],
  ['a b/c@d', 'a b/c@d'],
  ['mail:send@work', 'mail:send@work'],
  ['memo:note?draft', 'memo:note?draft'],
  ['//a@b/c?d', '//a@b/c?d'],
  ['https://user:secret@files.example.com/a?token=secret', 'https://…@files.example.com/a?…'],
  [' https:\\\\user:secret@files.example.com/a?b', 'https:\\\\…@files.example.com/a?…'],
] as const)('a record names the tool `%s` as `%s`', ([name, recorded]) => {
  for (const method of ['tools/call', 'prompts/get', undefined])
    expect(recordedName(method, name)).toBe(recorded);
});

test.for([
  ['latest', 'latest'],
  ['report?draft#1', 'report?…'],
  ['a b/c@d', 'a b/c@d'],
  ['https://files.example.com/a/b', 'https://files.example.com/a/b'],
  ['https://files.example.com/a?token=secret', 'https://files.example.com/a?…'],
  ['https://files.example.com/a#secret?more', 'https://files.example.com/a?…'],
  ['https://user:secret@files.example.com/a@b', 'https://…@files.example.com/a@b'],
  ['https://user:sec@ret@files.example.com', 'https://…@files.example.com'],
  ['file:///etc/hosts?secret\nmore', 'file:///etc/hosts?…'],
  ['memo:note?secret', 'memo:note?…'],
  ['https:/ada:secret@files.example.com/a', 'https:/…@files.example.com/a'],
  ['https:ada:secret@files.example.com/a', 'https:…@files.example.com/a'],
  ['https:///ada:secret@files.example.com', 'https:///…@files.example.com'],
  ['https:\\\\ada:secret@files.example.com/a', 'https:\\\\…@files.example.com/a'],
  ['https:/\\ada:sec\\ret@files.example.com/a', 'https:/\\…@files.example.com/a'],
  ['/y?token=secret', '/y?…'],
  ['x?token=secret', 'x?…'],
  ['x#token=secret', 'x?…'],
  ['?token=secret', '?…'],
  ['//ada:secret@files.example.com/x?token=secret', '//…@files.example.com/x?…'],
  ['\\\\ada:secret@files.example.com/x', '\\\\…@files.example.com/x'],
  ['ada_1:secret@files.example.com/x', '…@files.example.com/x'],
  [' \u0001https://ada:secret@files.example.com', 'https://…@files.example.com'],
  ['ht\ttps:/\n/ada:secret@files.example.com', 'https://…@files.example.com'],
  ['jar:https://ada:secret@files.example.com/x!/a@b', 'jar:https://…@files.example.com/x!/a@b'],
  ['proxy://host/https://ada:secret@files.example.com/x', 'proxy://host/https://…@files.example.com/x'],
  ['git+ssh://ada:secret@files.example.com/x', 'git+ssh://…@files.example.com/x'],
] as const)('a record names the resource `%s` as `%s`', ([name, recorded]) => {
  for (const method of ['resources/read', 'resources/subscribe'])
    expect(recordedName(method, name)).toBe(recorded);
});

test('of what is long a record holds a part, in whole characters', () => {
  expect(shortened('a'.repeat(256))).toBe('a'.repeat(256));
  expect(shortened('a'.repeat(257))).toBe(`${'a'.repeat(256)}…`);
  expect(shortened(`${'a'.repeat(255)}😀`)).toBe(`${'a'.repeat(255)}\ufffd…`);
  expect(recordedName('resources/read', `https://files.example.com/${'a'.repeat(400)}`)).toHaveLength(257);
});

test('a record names who acted, and those who act for it where there are any', () => {
  const [issuer, policy] = [
    new TestIssuer(),
    policyOf({ clients: [clientEntry('courier', { scopes: ['a'] })] }),
  ];
  const alone = auditedCaller(callerOf(issuer, policy, ['a']));
  expect(alone).toEqual({
    org_id: 'acme',
    subject: 'courier',
    kind: 'agent',
    client_id: 'courier',
    jti: 'j-1',
    scopes: ['a'],
  });
  const delegating = policyOf({ clients: [clientEntry('desk'), clientEntry('broker')] });
  const token = issuer.verified({ sub: 'desk', client_id: 'broker', act: { sub: 'broker' } });
  const acted = Caller.fromToken(token, delegating);
  expect(acted.ok && auditedCaller(acted.value).actors).toEqual(['broker']);
});

test.for<readonly [string | null, string | undefined]>([
  ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '0af7651916cd43dd8448eb211c80319c'],
  ['00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01', undefined],
  ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331', undefined],
  ['', undefined],
  [null, undefined],
])('of the traceparent %j the trace id is %s', ([header, id]) => {
  expect(traceIdOf(header)).toBe(id);
});
