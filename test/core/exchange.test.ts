import { describe, expect, test } from 'vitest';
import {
  type ExchangeForm,
  type ExchangeSubject,
  planExchange,
  readExchangeForm,
} from '../../functions/core/exchange.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN } from '../support/test-issuer.ts';

const TYPE = 'urn:ietf:params:oauth:token-type:';
const BASE = { subject_token: 's', subject_token_type: `${TYPE}access_token` };
const MAPS = `${ORIGIN}/maps/mcp`;

function read(form: Readonly<Record<string, string>>, resources: readonly string[] = []) {
  const result = readExchangeForm(new Map(Object.entries({ ...BASE, ...form })), resources, ORIGIN);
  return result.ok ? result.value : `${result.error.error}: ${result.error.description}`;
}

describe('what is asked of an exchange', () => {
  test.for<readonly [Readonly<Record<string, string>>, readonly string[], Partial<ExchangeForm>]>([
    [
      {},
      [],
      {
        subject: { compact: 's', type: 'access_token' },
        actor: undefined,
        scope: undefined,
        target: undefined,
      },
    ],
    [{ subject_token_type: `${TYPE}jwt` }, [], { subject: { compact: 's', type: 'access_token' } }],
    [{ subject_token_type: `${TYPE}id_token` }, [], { subject: { compact: 's', type: 'id_token' } }],
    [
      { actor_token: 'a', actor_token_type: `${TYPE}access_token` },
      [],
      { actor: { compact: 'a', type: 'access_token' } },
    ],
    [{ requested_token_type: `${TYPE}jwt`, scope: 'x' }, [], { scope: 'x' }],
    [{ audience: 'maps' }, [], { target: MAPS }],
    [{ audience: MAPS }, [], { target: MAPS }],
    [{ audience: 'maps' }, [MAPS], { target: MAPS }],
    [{}, [ORIGIN], { target: ORIGIN }],
  ])('by %j and %j is %o', ([form, resources, expected]) => {
    expect(read(form, resources)).toMatchObject(expected);
  });

  test.for<readonly [Readonly<Record<string, string>>, readonly string[], string]>([
    [{ actor_token: 'a' }, [], 'invalid_request: `actor_token` and `actor_token_type` come together'],
    [{ actor_token_type: 'x' }, [], 'invalid_request: `actor_token` and `actor_token_type` come together'],
    [
      { subject_token_type: `${TYPE}saml2` },
      [],
      'invalid_request: this `subject_token_type` is not accepted',
    ],
    [{ requested_token_type: `${TYPE}id_token` }, [], 'invalid_request: only access tokens are issued'],
    [{ audience: 'maps' }, [ORIGIN], 'invalid_target: ask for one target at a time'],
  ])('by %j and %j is refused: %s', ([form, resources, words]) => {
    expect(read(form, resources)).toBe(words);
  });

  test('is refused without the token that it is about', () => {
    expect(readExchangeForm(new Map(), [], ORIGIN)).toMatchObject({
      error: { description: '`subject_token` is missing' },
    });
  });
});

const scopes = ['maps/read', 'maps/execute'];
const broker = clientEntry('broker', { scopes, exchangeFrom: ['desk', 'broker', 'helper'] });
const policy = policyOf({
  clients: [broker, clientEntry('desk', { scopes }), clientEntry('helper', { scopes: ['maps/read'] })],
  servers: [
    serverEntry('maps'),
    serverEntry('tower', { visibility: 'team:pilots' }),
    serverEntry('context-store'),
  ],
  scopes: [['maps/read', [scopeRule('maps', ['tools/list'])]]],
});
const user: ExchangeSubject = {
  subject: 'corp:ann',
  kind: 'user',
  clientId: 'desk',
  orgId: 'acme',
  scopes,
  groups: [],
  teams: [],
  isPublicOnly: false,
  jti: 'j-1',
  actors: [],
  actorTokens: [],
  maxUses: undefined,
  issuedAtSeconds: NOW_SECONDS - 10,
  endsAtSeconds: NOW_SECONDS + 300,
  audience: ORIGIN,
  context: { namespace: 'proj', scopeFilters: undefined },
};
const agent = (changes: Partial<ExchangeSubject> = {}): ExchangeSubject => ({
  ...user,
  subject: 'broker',
  kind: 'agent',
  clientId: 'broker',
  jti: 'j-2',
  ...changes,
});

type Asked = { readonly subject?: Partial<ExchangeSubject>; readonly actor?: ExchangeSubject } & {
  readonly client?: Parameters<typeof clientEntry>[1];
  readonly scope?: string;
  readonly target?: string;
};

function plan({ subject, actor, client, scope, target }: Asked) {
  const planned = planExchange(
    policy,
    { ...broker, ...client },
    { subject: { ...user, ...subject }, actor },
    { scope, target },
    { origin: ORIGIN, nowSeconds: NOW_SECONDS },
  );
  return planned.ok ? planned.value : (planned.error.cause ?? planned.error.error);
}

describe('an exchange gives a token', () => {
  test.for<readonly [string, Asked, object]>([
    [
      'about the user, by which the client acts, and the one before it',
      {},
      {
        subject: 'corp:ann',
        kind: 'user',
        clientId: 'broker',
        audience: ORIGIN,
        scopes,
        actors: ['broker', 'desk'],
        actorTokens: [],
        lifetimeSeconds: 300,
        context: { namespace: 'proj' },
        descent: { ancestor: 'j-1', issuedAtSeconds: NOW_SECONDS - 10 },
      },
    ],
    [
      'for a server, without what is for the context store',
      { target: MAPS },
      { audience: MAPS, context: {} },
    ],
    [
      'for the context store with it',
      { target: `${ORIGIN}/context-store/mcp` },
      { context: { namespace: 'proj' } },
    ],
    [
      'for a server of a team that it stands for',
      { subject: { teams: ['pilots'] }, target: `${ORIGIN}/tower/mcp` },
      { teams: ['pilots'] },
    ],
    ['for fewer scopes', { scope: 'maps/read' }, { scopes: ['maps/read'] }],
    [
      'by which an actor acts, as long as both last',
      {
        actor: agent({
          subject: 'helper',
          actors: ['x'],
          actorTokens: ['t'],
          endsAtSeconds: NOW_SECONDS + 9,
        }),
      },
      {
        actors: ['helper', 'x', 'broker', 'desk'],
        actorTokens: ['j-2', 't'],
        lifetimeSeconds: 9,
        scopes: ['maps/read'],
      },
    ],
    [
      'by which another user acts through the client',
      { actor: agent({ subject: 'corp:bob', kind: 'user' }) },
      { actors: ['corp:bob', 'broker', 'desk'], scopes },
    ],
    ['about an agent', { subject: agent() }, { kind: 'agent', subject: 'broker', actors: [] }],
    [
      'about another’s agent',
      { subject: agent({ subject: 'desk', clientId: 'desk' }) },
      { actors: ['broker'] },
    ],
    [
      'that was delegated before',
      { subject: { actors: ['broker'], clientId: 'broker' } },
      { actors: ['broker'] },
    ],
    [
      'as the subject’s token has it, of a client of one server',
      { client: { audience: 'resource' }, target: MAPS },
      { audience: MAPS },
    ],
  ])('%s', ([, asked, expected]) => {
    expect(plan(asked)).toMatchObject(expected);
  });

  const many = Array.from({ length: 9 }, (_, index) => `a-${index}`);
  test.for<readonly [string, Asked, string]>([
    ['another organisation’s subject', { subject: { orgId: 'rival' } }, 'another_organisation'],
    ['a client that it may not exchange from', { subject: { clientId: 'other' } }, 'exchange_from'],
    ['another client’s actor', { actor: agent({ clientId: 'desk' }) }, 'another_clients_actor'],
    ['another organisation’s actor', { actor: agent({ orgId: 'rival' }) }, 'another_clients_actor'],
    ['an actor that it is about', { actor: agent({ subject: 'corp:ann' }) }, 'actor_is_subject'],
    ['a token whose uses are counted', { subject: { maxUses: 1 } }, 'counted_token'],
    ['an actor whose uses are counted', { actor: agent({ maxUses: 1 }) }, 'counted_token'],
    ['too long a chain', { subject: { actors: many } }, 'delegated_too_often'],
    ['too many tokens in it', { subject: { actorTokens: many } }, 'delegated_too_often'],
    ['too long a line', { subject: { jti: 'a.b.c.d.e.f.g.h' } }, 'delegated_too_often'],
    ['scopes that it has not', { scope: 'admin' }, 'invalid_scope'],
    ['scopes that are none', { scope: ' ' }, 'invalid_scope'],
    ['scopes that the client has not', { client: { scopes: [] } }, 'invalid_scope'],
    ['a token that ends', { subject: { endsAtSeconds: NOW_SECONDS } }, 'expired'],
    ['no target, of a client of one server', { client: { audience: 'resource' } }, 'invalid_target'],
    [
      'everything, of a client of one server',
      { client: { audience: 'resource' }, target: ORIGIN },
      'invalid_target',
    ],
    ['everything, with a token for one', { subject: { audience: MAPS }, target: ORIGIN }, 'invalid_target'],
    ['what is no server', { target: 'https://elsewhere.example' }, 'invalid_target'],
    ['a server that it may not know of', { target: `${ORIGIN}/tower/mcp` }, 'invalid_target'],
  ])('for %s there is none', ([, asked, cause]) => {
    expect(plan(asked)).toBe(cause);
  });

  test('for a user in too many groups that are limited there is none', () => {
    const groups = Array.from({ length: 150 }, (_, index) => `limited-${index}-${'x'.repeat(20)}`);
    const limits = [
      { per: ['client'], requests: 1, windowSeconds: 60, scope: 'maps/read', at: 'l' } as const,
    ];
    const limited = policyOf({ limits, groups: groups.map((group) => [group, ['maps/read']] as const) });
    const planned = planExchange(
      limited,
      broker,
      { subject: { ...user, groups }, actor: undefined },
      { scope: undefined, target: undefined },
      { origin: ORIGIN, nowSeconds: NOW_SECONDS },
    );
    expect(planned).toMatchObject({ error: { cause: 'too_many_groups' } });
  });
});
