import { describe, expect, test } from 'vitest';
import { type Message, readMessage } from '../../functions/core/action.ts';
import { decide, type RefusalCause } from '../../functions/core/decide.ts';
import {
  type Denial,
  RPC_DENIED,
  recordedReason,
  rpcError,
  scopeChallenge,
  toMcpAnswer,
  toWire,
} from '../../functions/core/denial.ts';
import { JsonNumber } from '../../functions/core/json.ts';
import { callerOf, clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { TestIssuer } from '../support/test-issuer.ts';

const malformed: Denial = {
  reason: 'malformed_message',
  code: -32600,
  message: 'not JSON-RPC',
  id: undefined,
};
const notGranted = { reason: 'not_granted', obtainable: [] } as const;

/** Every reason, and what the world sees of it. A reason that is not here does not compile. */
const WIRE: {
  readonly [R in Denial['reason']]: readonly [Denial & { readonly reason: R }, number, string];
} = {
  run_namespace_not_allowed: [
    { reason: 'run_namespace_not_allowed', detail: 'charts' },
    403,
    'permission_denied',
  ],
  no_token: [{ reason: 'no_token' }, 401, 'unauthenticated'],
  malformed_token_header: [{ reason: 'malformed_token_header' }, 401, 'unauthenticated'],
  bad_token: [{ reason: 'bad_token', detail: 'signature', missingKeyId: 'k-1' }, 401, 'unauthenticated'],
  bad_idp_token: [{ reason: 'bad_idp_token', detail: 'expired' }, 401, 'unauthenticated'],
  selector_mismatch: [{ reason: 'selector_mismatch' }, 401, 'unauthenticated'],
  revoked: [{ reason: 'revoked' }, 401, 'unauthenticated'],
  unknown_client: [{ reason: 'unknown_client' }, 401, 'unauthenticated'],
  client_disabled: [{ reason: 'client_disabled' }, 401, 'unauthenticated'],
  org_mismatch: [{ reason: 'org_mismatch' }, 401, 'unauthenticated'],
  org_suspended: [{ reason: 'org_suspended' }, 401, 'unauthenticated'],
  identity_provider_gone: [{ reason: 'identity_provider_gone' }, 401, 'unauthenticated'],
  malformed_scope: [{ reason: 'malformed_scope' }, 401, 'unauthenticated'],
  malformed_message: [malformed, 400, 'invalid_argument'],
  unknown_server: [{ reason: 'unknown_server', obtainable: [] }, 404, 'not_found'],
  unknown_item: [{ reason: 'unknown_item' }, 404, 'not_found'],
  no_server_access: [{ reason: 'no_server_access', obtainable: [] }, 403, 'permission_denied'],
  not_granted: [notGranted, 403, 'permission_denied'],
  no_namespace: [{ reason: 'no_namespace' }, 403, 'permission_denied'],
  payload_too_large: [{ reason: 'payload_too_large' }, 413, 'payload_too_large'],
  unsupported_media_type: [{ reason: 'unsupported_media_type' }, 415, 'invalid_argument'],
  forbidden_origin: [{ reason: 'forbidden_origin' }, 403, 'permission_denied'],
  method_not_allowed: [{ reason: 'method_not_allowed' }, 405, 'invalid_argument'],
  unknown_session: [{ reason: 'unknown_session' }, 404, 'not_found'],
  missing_credential: [{ reason: 'missing_credential', detail: 'OPERATOR' }, 403, 'permission_denied'],
  missing_upstream_token: [
    { reason: 'missing_upstream_token', detail: 'OPERATOR' },
    403,
    'permission_denied',
  ],
  refused_upstream_token: [
    { reason: 'refused_upstream_token', detail: 'OPERATOR' },
    403,
    'permission_denied',
  ],
  connection_required: [
    {
      reason: 'connection_required',
      url: 'https://gate.example/connect/track?t=abc',
      displayName: 'Track',
      detail: 'OPERATOR',
    },
    403,
    'failed_precondition',
  ],
  bad_delegation: [{ reason: 'bad_delegation', detail: 'OPERATOR' }, 403, 'permission_denied'],
  path_not_allowed: [{ reason: 'path_not_allowed', detail: 'OPERATOR' }, 403, 'permission_denied'],
  outside_perimeter: [{ reason: 'outside_perimeter', detail: 'OPERATOR' }, 502, 'upstream_error'],
  refused_address: [{ reason: 'refused_address', detail: 'OPERATOR' }, 502, 'upstream_error'],
  unreachable: [{ reason: 'unreachable', detail: 'OPERATOR' }, 502, 'upstream_error'],
  redirect: [{ reason: 'redirect', detail: 'OPERATOR' }, 502, 'upstream_error'],
  timeout: [{ reason: 'timeout', detail: 'OPERATOR' }, 504, 'upstream_error'],
  rate_limited: [{ reason: 'rate_limited', retryAfterSeconds: 7 }, 429, 'rate_limited'],
  unavailable: [{ reason: 'unavailable', detail: 'OPERATOR' }, 503, 'unavailable'],
};

function message(
  method: string,
  params: unknown = {},
  kind: 'modern' | 'legacy' = 'legacy',
  id: unknown = 7,
): Message {
  const isModern = kind === 'modern';
  const meta = isModern ? { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } } : {};
  const body = { jsonrpc: '2.0', id, method, params: Object.assign({}, params, meta) };
  const headers = new Headers(isModern ? { 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': method } : {});
  if (isModern && method === 'tools/call') headers.set('Mcp-Name', 'route');
  const read = readMessage(new TextEncoder().encode(JSON.stringify(body)), headers);
  if (!read.ok) throw new Error(read.error.message);
  return read.value;
}

function answerOf(denial: Denial, to?: Message) {
  const { status, body } = toMcpAnswer(denial, to, 'r-1');
  return { status, body: JSON.parse(body) };
}

const call = message('tools/call', { name: 'route' });
const list = message('tools/list');

describe('every reason', () => {
  test.for(Object.values(WIRE))('%j → %d %s', ([denial, status, code]) => {
    const wire = toWire(denial);
    expect([wire.status, wire.code]).toEqual([status, code]);
    for (const to of [undefined, call, list]) {
      const { body } = toMcpAnswer(denial, to, 'r-1');
      for (const hidden of ['OPERATOR', 'k-1', 'signature']) expect(body + wire.text).not.toContain(hidden);
      const parsed = JSON.parse(body);
      expect(parsed.jsonrpc).toBe('2.0');
      expect(parsed.id).toBe(to === undefined ? null : 7);
      expect(Object.keys(parsed).sort()).toEqual(
        ['error' in parsed ? 'error' : 'result', 'id', 'jsonrpc'].sort(),
      );
    }
  });

  test('who is not admitted learns nothing of the reason', () => {
    const answers = Object.values(WIRE)
      .filter(([, status]) => status === 401)
      .map(([denial]) => toMcpAnswer(denial, undefined, 'r-1').body);
    expect(answers.length).toBe(12);
    expect(new Set(answers).size).toBe(1);
  });

  test('codes of our own are outside the protocol’s range', () => {
    const codes = Object.values(WIRE)
      .filter(([denial]) => denial.reason !== 'malformed_message')
      .map(([denial]) => toWire(denial).rpcCode);
    for (const code of codes) expect(code === -32600 || code > -32000).toBe(true);
  });
});

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
    expect(said({ kind: 'closed', ...place, when: { days: [1], timezone: 'UTC' } })).toBe(
      'access denied now: this is allowed on mon (UTC) (request r-1)',
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

test('the challenge names all scopes and the metadata of the server', () => {
  expect(scopeChallenge(['maps/read', 'maps/execute'], 'https://gate.example.com/m')).toBe(
    'Bearer error="insufficient_scope", scope="maps/read maps/execute", resource_metadata="https://gate.example.com/m"',
  );
});
