import { describe, expect, test } from 'vitest';
import { parseJsonText } from '../../functions/core/json.ts';
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
    expect(read({ kind, id: token })).toEqual({
      ok: false,
      error: `name the ${kind} by its \`id\`, of at most 255 characters`,
    });
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
