import { describe, expect, test } from 'vitest';
import type { Message } from '../../functions/core/action.ts';
import { decide, type RefusalCause } from '../../functions/core/decide.ts';
import { type Denial, recordedReason } from '../../functions/core/denial.ts';
import { RPC_DENIED } from '../../functions/core/denial-wire.ts';
import { JsonNumber } from '../../functions/core/json.ts';
import { rpcError, toMcpAnswer } from '../../functions/core/mcp-denial.ts';
import { answerOf, call, list, malformed, message, notGranted, WIRE } from '../support/denials.ts';
import { callerOf, clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { TestIssuer } from '../support/test-issuer.ts';

const IN_PROTOCOL = [
  'not_granted',
  'missing_credential',
  'missing_upstream_token',
  'refused_upstream_token',
  'no_namespace',
] as const;

describe('denied by policy', () => {
  test.for(IN_PROTOCOL)('%s: a tool call is answered by a tool result that a model can read', (reason) => {
    const { status, body } = answerOf(WIRE[reason][0], call);
    expect(status).toBe(200);
    expect(body.id).toBe(7);
    expect(body.result).toEqual({ isError: true, content: [{ type: 'text', text: expect.any(String) }] });
    expect(body.result.content[0].text).toContain('(request r-1)');
  });

  test('`resultType` is for the stateless revision alone', () => {
    const modern = message('tools/call', { name: 'route' }, 'modern');
    expect(answerOf(notGranted, modern).body.result.resultType).toBe('complete');
    expect(answerOf(notGranted, call).body.result).not.toHaveProperty('resultType');
  });

  test('another request is answered by a JSON-RPC error with status 200', () => {
    for (const method of ['tools/list', 'prompts/list', 'initialize', 'resources/list']) {
      const { status, body } = answerOf(notGranted, message(method));
      expect(status).toBe(200);
      expect(body.error).toEqual({
        code: -31001,
        message: expect.any(String),
        data: { reason: 'permission_denied', request_id: 'r-1' },
      });
    }
    expect(RPC_DENIED).toBe(-31001);
  });

  test('a notification, which has no answer, keeps the status', () => {
    const notification: Message = { ...list, kind: 'notification', id: undefined };
    expect(answerOf(notGranted, notification)).toMatchObject({ status: 403, body: { id: null } });
  });

  test('no access to the server at all keeps the status', () => {
    expect(answerOf({ reason: 'no_server_access', obtainable: ['s'] }, call)).toMatchObject({
      status: 403,
      body: { error: { code: -31001 } },
    });
  });
});

describe('a connection that is missing', () => {
  const [required] = WIRE.connection_required;
  const url = 'https://gate.example/connect/track?t=abc';
  const text = `this needs an account at Track: its user connects it at ${url} and then tries again`;
  const asked = {
    mode: 'url',
    message: 'Connect your account at Track: this call is made in your name there.',
    url,
  };

  test.for(['tools/call', 'tools/list', 'initialize'])(
    'is the protocol’s own error in the `initialize` era: %s',
    (method) => {
      const answer = answerOf(required, message(method, { name: 'route' }));
      expect(answer).toEqual({
        status: 200,
        body: {
          jsonrpc: '2.0',
          id: 7,
          error: {
            code: -32042,
            message: text,
            data: {
              reason: 'failed_precondition',
              url,
              elicitations: [{ ...asked, elicitationId: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/) }],
              request_id: 'r-1',
            },
          },
        },
      });
    },
  );

  test('has the same id for the same need, and another for another', () => {
    const idOf = (denial: Denial) => answerOf(denial, call).body.error.data.elicitations[0].elicitationId;
    expect(idOf(required)).toBe(idOf({ ...required, detail: 'another' }));
    expect(idOf(required)).not.toBe(idOf({ ...required, url: `${url}d` }));
  });

  test('is an error of ours with the URL in the stateless era, where the client cannot be asked', () => {
    const { status, body } = answerOf(required, message('tools/call', { name: 'route' }, 'modern'));
    expect([status, body.error]).toEqual([
      200,
      { code: -31002, message: text, data: { reason: 'failed_precondition', url, request_id: 'r-1' } },
    ]);
  });

  test('is asked for where the client can be asked, with our state', () => {
    const denial = { ...required, requestState: 'sealed' };
    expect(answerOf(denial, message('tools/call', { name: 'route' }, 'modern'))).toEqual({
      status: 200,
      body: {
        jsonrpc: '2.0',
        id: 7,
        result: {
          resultType: 'input_required',
          inputRequests: { sallyport_connect: { method: 'elicitation/create', params: asked } },
          requestState: 'sealed',
        },
      },
    });
  });

  test('keeps its status for a notification, and without a message', () => {
    const notification: Message = { ...list, kind: 'notification', id: undefined };
    for (const to of [notification, undefined]) {
      expect(answerOf(required, to)).toMatchObject({ status: 403, body: { error: { code: -31002 } } });
    }
  });
});

describe('scopes', () => {
  const obtainable: Denial = { reason: 'not_granted', obtainable: ['maps/execute'] };

  test('are named where this client may obtain them', () => {
    expect(answerOf(obtainable, call).body.result.content[0].text).toContain('`maps/execute`');
    expect(answerOf(obtainable, list).body.error.data.required_scopes).toEqual(['maps/execute']);
    expect(answerOf(obtainable, list).body.error.message).toContain('`maps/execute`');
  });

  test('are not named otherwise', () => {
    expect(answerOf(notGranted, call).body.result.content[0].text).not.toContain('scope');
    expect(answerOf(notGranted, list).body.error.data).not.toHaveProperty('required_scopes');
  });

  test('a hidden tool and one that does not exist are answered with the same bytes', () => {
    const issuer = new TestIssuer();
    const policy = policyOf({
      servers: [serverEntry('maps')],
      scopes: [
        ['look', [scopeRule('maps', ['tools/call', 'tools/list'], ['route'])]],
        ['locked', [scopeRule('maps', ['tools/call'], ['erase'])]],
      ],
      clients: [clientEntry('courier', { scopes: ['look'] }), clientEntry('chief', { scopes: ['locked'] })],
    });
    const caller = callerOf(issuer, policy, ['look']);
    const bytes = ['erase', 'no-such-tool'].map((name) => {
      const action = {
        server: 'maps',
        kind: 'request',
        method: 'tools/call',
        name,
        arguments: 'unseen',
      } as const;
      const decision = decide(policy, caller, action, 0);
      return decision.allow ? '' : toMcpAnswer(decision.refusal, message('tools/call', { name }), 'r-1').body;
    });
    expect(bytes[0]).toBe(bytes[1]);
    expect(bytes[0]).not.toMatch(/locked|look|erase|no-such-tool|maps/);
  });
});

describe('a rule of the caller’s own that stood in the way', () => {
  const place = { scope: 's', at: 'scopes.yml:3' };
  const said = (cause: RefusalCause, obtainable: readonly string[] = []): string => {
    const refusal: Denial = { reason: 'not_granted', obtainable, cause };
    const answered = JSON.parse(toMcpAnswer(refusal, message('tools/call', { name: 'route' }), 'r-1').body);
    return answered.result.content[0].text;
  };
  const constrained = (argument: string, constraint: string): RefusalCause => ({
    kind: 'constrained',
    ...place,
    failure: { argument, constraint, isKnown: true },
  });

  test('is said where it is a constraint or a window, and never where it is a deny', () => {
    expect(said(constrained('limit', 'must be at most 100'))).toBe(
      'access denied: the argument `limit` must be at most 100 (request r-1)',
    );
    expect(said(constrained('', 'must be an object'))).toBe(
      'access denied: the arguments must be an object (request r-1)',
    );
    const closed = { kind: 'closed', ...place, when: { days: [1], timezone: 'UTC' } } as const;
    expect(said({ ...closed, isOver: false })).toBe(
      'access denied now: this is allowed on mon (UTC) (request r-1)',
    );
    expect(said({ ...closed, isOver: true })).toBe(
      'access denied: this was allowed on mon (UTC) (request r-1)',
    );
    expect(said({ kind: 'denied', ...place })).toBe(
      'access denied: this operation is not available to you (request r-1)',
    );
  });

  test('is said beside the scope that would do', () => {
    expect(said(constrained('limit', 'is required'), ['t'])).toBe(
      'access denied: the argument `limit` is required with this token; a token with the scope `t` would allow it (request r-1)',
    );
  });

  test.for<readonly [Denial, string]>([
    [{ reason: 'not_granted', obtainable: [] }, 'not_granted'],
    [
      { reason: 'no_server_access', obtainable: [], cause: { kind: 'denied', ...place } },
      'no_server_access: denied by scopes.yml:3',
    ],
    [
      { reason: 'not_granted', obtainable: [], cause: constrained('limit', 'is required') },
      'not_granted: constrained by scopes.yml:3',
    ],
    [{ reason: 'unavailable', detail: 'the store is down' }, 'unavailable: the store is down'],
  ])('stands in the record: %j', ([denial, reason]) => {
    expect(recordedReason(denial)).toBe(reason);
  });
});

describe('malformed messages', () => {
  test('are 400 with a JSON-RPC body, their own code and the id where it is known', () => {
    const refusal: Denial = { ...malformed, code: -32020, message: 'mismatch', id: 'q' };
    expect(answerOf(refusal)).toEqual({
      status: 400,
      body: {
        jsonrpc: '2.0',
        id: 'q',
        error: { code: -32020, message: 'mismatch', data: { reason: 'invalid_argument', request_id: 'r-1' } },
      },
    });
    expect(answerOf(malformed).body.id).toBe(null);
  });

  test('of an unsupported version say which are supported', () => {
    const data = { supported: ['a', 'b'], requested: 'c' };
    expect(answerOf({ ...malformed, code: -32022, data }).body.error.data).toMatchObject(data);
  });

  test('cannot say another reason than the table’s', () => {
    const data = { reason: 'fine', request_id: 'forged' };
    expect(answerOf({ ...malformed, data }).body.error.data).toEqual({
      reason: 'invalid_argument',
      request_id: 'r-1',
    });
  });
});

test('an id is written with the digits that it came with', () => {
  expect(rpcError(new JsonNumber('9007199254740993'), 1, 'x', {})).toContain('"id":9007199254740993,');
  expect(rpcError('a"\n', 1, 'x', {})).toContain('"id":"a\\"\\n",');
  expect(rpcError(undefined, 1, 'x', {})).toContain('"id":null,');
});
