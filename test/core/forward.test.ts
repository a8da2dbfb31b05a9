import { describe, expect, test } from 'vitest';
import {
  dropMessageHeaders,
  isUtf8Json,
  mcpRequestHeaders,
  mcpResponseHeaders,
  mediaTypeOf,
  serviceRequestHeaders,
  serviceResponseHeaders,
  USER_AGENT,
} from '../../functions/core/forward.ts';

/** Headers of callers that other gateways were seen to hand on. */
const NEVER = [
  'Authorization',
  'X-Authorization',
  'Proxy-Authorization',
  'Cookie',
  'X-Service-Token',
  'X-Delegation',
  'X-Api-Key',
  'X-User',
  'X-Username',
  'X-Client-Id',
  'X-Scopes',
  'X-Groups',
  'X-Auth-Method',
  'X-Server-Name',
  'X-Tool-Name',
  'X-User-Pool-Id',
  'X-Region',
  'X-Internal-Token',
  'X-Original-URL',
  'X-Rewrite-URL',
  'X-Upstream-Url',
  'X-HTTP-Method-Override',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Real-IP',
  'Forwarded',
  'Via',
  'Host',
  'Origin',
  'Referer',
  'Content-Length',
  'Content-Encoding',
  'Transfer-Encoding',
  'Connection',
  'Keep-Alive',
  'TE',
  'Trailer',
  'Upgrade',
  'Expect',
  'Accept-Encoding',
  'User-Agent',
  'Mcp-Session-Id',
  'X_Authorization',
  'Mcp-Param-',
  'Mcp_Method',
  'Mcp-Methods',
];

const travelling = {
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': 'route',
  'mcp-param-region': 'eu',
  'last-event-id': '4',
  traceparent: '00-1',
};

function incoming(more: Readonly<Record<string, string>> = {}): Headers {
  return new Headers(
    [...Object.entries({ ...travelling, ...more }), ...NEVER.map((name) => [name, 'FORGED'] as const)].map(
      ([a, b]) => [a, b],
    ),
  );
}

describe('to an MCP server', () => {
  test('travel the transport’s own headers and the gateway’s name, nothing else', () => {
    expect(Object.fromEntries(mcpRequestHeaders(incoming(), []))).toEqual({
      ...travelling,
      'user-agent': USER_AGENT,
    });
  });

  test('travel those that the entry lists', () => {
    const headers = mcpRequestHeaders(incoming({ 'X-Provider-Id': 'p', 'X-Other': 'o' }), [
      'x-provider-id',
      'x-absent',
    ]);
    expect(headers.get('x-provider-id')).toBe('p');
    expect([headers.has('x-other'), headers.has('x-absent')]).toEqual([false, false]);
  });

  test('travels nothing that describes a message where there is none', () => {
    const headers = mcpRequestHeaders(incoming(), []);
    dropMessageHeaders(headers);
    const { 'mcp-method': _, 'mcp-name': __, 'mcp-param-region': ___, ...others } = travelling;
    expect(Object.fromEntries(headers)).toEqual({ ...others, 'user-agent': USER_AGENT });
  });

  test('no caller can speak for the gateway', () => {
    expect(mcpRequestHeaders(incoming(), ['user-agent']).get('user-agent')).toBe(USER_AGENT);
  });
});

test('to a service travel content, conditions and ranges', () => {
  const own = {
    accept: '*/*',
    'accept-language': 'de',
    'cache-control': 'no-cache',
    'content-digest': 'sha-256=:x:',
    'content-disposition': 'attachment',
    'content-encoding': 'gzip',
    'content-language': 'de',
    'content-range': 'bytes 0-1/2',
    'content-type': 'text/plain',
    'idempotency-key': 'k-1',
    'if-match': '"1"',
    'if-modified-since': 'Tue, 20 Oct 2026 07:28:00 GMT',
    'if-none-match': '"2"',
    'if-range': '"3"',
    'if-unmodified-since': 'Tue, 20 Oct 2026 07:28:00 GMT',
    'last-event-id': '4',
    prefer: 'return=minimal',
    range: 'bytes=0-1',
    'repr-digest': 'sha-256=:y:',
    traceparent: '00-1',
  };
  const all = [...NEVER.map((name) => [name.toLowerCase(), 'FORGED'] as const), ...Object.entries(own)];
  const headers = serviceRequestHeaders(new Headers(all.map(([a, b]) => [a, b])), []);
  const { 'content-encoding': forged, ...others } = Object.fromEntries(headers);
  expect(forged).toBe('FORGED, gzip');
  const { 'content-encoding': _, ...travelling } = own;
  expect(others).toEqual({ ...travelling, 'user-agent': USER_AGENT });
});

describe('back to the client', () => {
  const leaking = new Map([
    ['set-cookie', 'a=b'],
    ['www-authenticate', 'Bearer realm="upstream"'],
    ['server', 'nginx'],
    ['via', '1.1 proxy'],
    ['location', 'https://internal.example.com/'],
    ['x-powered-by', 'x'],
    ['x-amzn-requestid', 'x'],
    ['access-control-allow-origin', '*'],
    ['access-control-allow-credentials', 'true'],
    ['mcp-session-id', 'of-the-upstream'],
    ['content-length', '4'],
    ['content-encoding', 'gzip'],
    ['transfer-encoding', 'chunked'],
    ['connection', 'close'],
    ['strict-transport-security', 'x'],
    ['content-security-policy', 'x'],
    ['x-request-id', 'forged'],
  ]);

  test('of an MCP server’s answer goes what its content needs', () => {
    const own = [
      ['content-type', 'text/event-stream'],
      ['retry-after', '3'],
      ['allow', 'POST'],
    ] as const;
    const headers = mcpResponseHeaders(new Map([...leaking, ...own]));
    expect([...headers].sort()).toEqual([...own].sort());
  });

  test('of a service’s answer goes what its content needs', () => {
    const own = [
      ['content-type', 'image/png'],
      ['etag', '"1"'],
      ['content-range', 'bytes 0-1/2'],
      ['vary', 'accept'],
      ['age', '1'],
      ['allow', 'GET'],
      ['x-ratelimit-limit', '10'],
      ['x-rate-limit-remaining', '9'],
      ['x-ratelimit-remaining-tokens', '9'],
      ['ratelimit', '"a";r=9'],
      ['ratelimit-policy', '"a";q=10'],
    ] as const;
    leaking.set('x-ratelimited-by', 'host-1').set('content-location', '/x').set('ratelimit-', 'x');
    leaking.set('x-ratelimit-0f1e2d3c4b5a6978', '5').set('x-ratelimit-limit-sk-canary', '5');
    const headers = serviceResponseHeaders(new Map([...leaking, ...own]));
    expect([...headers].sort()).toEqual([...own].sort());
  });
});

describe('the media type', () => {
  test.for([
    ['application/json', true],
    ['application/json; charset=utf-8', true],
    ['Application/JSON;charset="UTF-8"', true],
    [' application/json ; charset=utf-8 ', true],
    ['application/json; x=y', true],
    ['application/json; charset=utf-16', false],
    ['application/json; charset=iso-8859-1', false],
    ['application/json, text/plain', false],
    ['application/jsonx', false],
    ['application/vnd.api+json', false],
    ['text/json', false],
    ['text/plain; application/json', false],
    ['', false],
    [null, false],
  ] as const)('%j is JSON in UTF-8: %s', ([contentType, isJson]) => {
    expect(isUtf8Json(contentType)).toBe(isJson);
  });

  test('is had without parameters, in lower case', () => {
    expect([' Text/Event-Stream ;x=y', null, undefined, ''].map(mediaTypeOf)).toEqual([
      'text/event-stream',
      '',
      '',
      '',
    ]);
  });
});
