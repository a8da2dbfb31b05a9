import { describe, expect, test } from 'vitest';
import { makeCode } from '../../functions/core/authorization-code.ts';
import { signingInputOf } from '../../functions/core/compact-jws.ts';
import { parseJsonText } from '../../functions/core/json.ts';
import { makeRefreshToken } from '../../functions/core/refresh-token.ts';
import { REVOCATION_KINDS, readRevocationRequest } from '../../functions/core/revocation-request.ts';

function read(body: unknown) {
  const parsed = parseJsonText(typeof body === 'string' ? body : JSON.stringify(body));
  if (!parsed.ok) throw new Error(parsed.error.detail);
  return readRevocationRequest(parsed.value);
}

const EMPTY = { orgId: undefined, beforeSeconds: undefined, dryRun: false };
const OF_A_THING = ['token', 'family', 'run'];
const OF_A_PARTY = ['client', 'user', 'team'];

describe('a request names what ends', () => {
  test.for([...OF_A_THING, ...OF_A_PARTY])('a %s by its id', (kind) => {
    expect(read({ kind, id: 'x' })).toEqual({
      ok: true,
      value: { ...EMPTY, kind, named: { by: 'id', id: 'x' } },
    });
  });

  test.for(OF_A_THING)('a %s by a token, which no id is taken for', (kind) => {
    const token = 'e'.repeat(8_192);
    expect(read({ kind, token })).toEqual({
      ok: true,
      value: { ...EMPTY, kind, named: { by: 'token', token } },
    });
    const refused = read({ kind, id: token });
    expect(refused.ok ? '' : refused.error).toMatch(/of at most 255 characters: .* sent as `token`$/);
  });

  test.for(['org', 'all'])('%s by nothing', (kind) => {
    expect(read({ kind })).toEqual({ ok: true, value: { ...EMPTY, kind, named: { by: 'nothing' } } });
  });

  test('of another organisation, until a time, and only to see', () => {
    expect(read({ kind: 'client', id: 'x', org_id: 'globex', before: 12, dry_run: true })).toMatchObject({
      value: { orgId: 'globex', beforeSeconds: 12, dryRun: true },
    });
    expect(read({ kind: 'org', org_id: 'globex', dry_run: false })).toMatchObject({
      value: { orgId: 'globex', dryRun: false },
    });
  });
});

describe('a request is refused', () => {
  test.for<readonly [string, unknown, RegExp]>([
    ['that is no object', '[]', /send a JSON object/],
    ['with an unknown member', { kind: 'org', ids: 'x' }, /and nothing else/],
    ['without a kind', { id: 'x' }, /`kind` is one of token, family, run, client, user, team, org, all/],
    ['of an unknown kind', { kind: 'jti', id: 'x' }, /`kind` is one of/],
    ['without a name', { kind: 'client' }, /name the client by its `id`/],
    ['with an empty name', { kind: 'client', id: '' }, /name the client/],
    ['with a name of another type', { kind: 'client', id: ['x'] }, /name the client/],
    ['with a name too long', { kind: 'client', id: 'x'.repeat(256) }, /name the client/],
    ['with a control character in a name', { kind: 'user', id: 'a\nb' }, /name the user/],
    ['with both an id and a token', { kind: 'token', id: 'x', token: 'y' }, /either `id` or `token`/],
    ['with an empty token', { kind: 'token', token: '' }, /`token` is a token, whole/],
    ['with a token of another type', { kind: 'token', token: 1 }, /`token` is a token, whole/],
    ['with a token too long', { kind: 'token', token: 'x'.repeat(8_193) }, /`token` is a token, whole/],
    ['with an empty organisation', { kind: 'org', org_id: '' }, /`org_id` is the name/],
    ['with an organisation of another type', { kind: 'org', org_id: 1 }, /`org_id` is the name/],
    ['for one organisation and all', { kind: 'all', org_id: 'acme' }, /leave `org_id` out/],
    ['for an organisation by id', { kind: 'org', id: 'acme' }, /name the organisation in `org_id`/],
    ['for all by id', { kind: 'all', id: 'acme' }, /`all` has no `id`/],
    ['for all by a token', { kind: 'all', token: 'x' }, /`all` has no `id`/],
    ['until no time', { kind: 'org', before: 'now' }, /whole seconds/],
    ['until half a second', '{"kind":"org","before":1.5}', /whole seconds/],
    ['to see perhaps', { kind: 'org', dry_run: 'yes' }, /`dry_run` is true or false/],
  ])('%s', ([, body, message]) => {
    const refused = read(body);
    expect(refused.ok ? '' : refused.error).toMatch(message);
  });

  test.for(OF_A_PARTY)('for a %s by a token', (kind) => {
    expect(read({ kind, token: 'x' })).toEqual({ ok: false, error: `name the ${kind} by its \`id\`` });
  });

  test.for(OF_A_THING)('for a %s until a time: it ends as a whole', (kind) => {
    expect(read({ kind, id: 'x', before: 1 })).toMatchObject({ ok: false });
  });

  const secret = (letter: string) => Buffer.alloc(32, letter).toString('base64url');
  const refreshToken = makeRefreshToken('acme', secret('h'), secret('s'));
  const jws = signingInputOf('at+jwt', 'k', { sub: 'a' });

  test.for(
    OF_A_THING.flatMap((kind) => [
      [kind, refreshToken],
      [kind, makeCode('acme', Buffer.alloc(32, 'c'))],
      [kind, `${jws}.c2lnbmF0dXJl`],
      [kind, jws],
      [kind, jws.split('.')[1] ?? ''],
      [kind, `Bearer ${jws}`],
      [kind, `"${refreshToken}"`],
      [kind, ` ${refreshToken}`],
      [kind, `refresh_token:${refreshToken}`],
    ]),
  )('for a %s by a credential in the place of its id: %s', ([kind = '', id = '']) => {
    const refused = read({ kind, id });
    expect(refused.ok ? '' : refused.error).toMatch(
      / in the audit records.*; a token itself is sent as `token`$/,
    );
    expect(refused.ok ? '' : refused.error).not.toContain(id);
  });

  test.for(['token', 'family'])('for a %s by what is longer than an id of ours', (kind) => {
    expect(read({ kind, id: refreshToken.slice(0, -1) }).ok).toBe(false);
    expect(read({ kind, id: secret('s') }).ok).toBe(false);
  });

  test.for([
    '7d9c2f1e-6a3b-4c5d-8e9f-0a1b2c3d4e5f',
    ['7d9c2f1e-6a3b-4c5d-8e9f-0a1b2c3d4e5f', 'b0c1d2e3-f405-4617-8829-3a4b5c6d7e8f', 'x'].join('.'),
    `corp:${secret('j')}`,
    `corp:AT.${secret('j').slice(0, -1)}E.oar1`,
    'corp:urn:a:b/c',
  ])('but not for an id of a token, ours or an identity provider’s: %s', (id) => {
    for (const kind of ['token', 'family']) expect(read({ kind, id })).toMatchObject({ ok: true });
  });

  test('but not for a client, a user or a run of a long name', () => {
    for (const kind of ['client', 'user', 'run']) expect(read({ kind, id: secret('r') }).ok).toBe(true);
  });

  test('without repeating what was sent', () => {
    const secret = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl'.repeat(8);
    for (const kind of [...REVOCATION_KINDS, secret]) {
      for (const member of ['id', 'org_id', 'before', 'dry_run', secret]) {
        const refused = read({ kind, [member]: secret });
        expect(refused.ok ? '' : refused.error).not.toContain('eyJ');
      }
    }
  });
});
