import { describe, expect, test } from 'vitest';
import { resources, synthesize } from './synthesized.ts';

/** Status and code of every response type that API Gateway documents (contract §10). */
// biome-ignore format: one row per response type
const EXPECTED: readonly [type: string, status: string, code: string][] = [
  ['ACCESS_DENIED', '403', 'permission_denied'],
  ['API_CONFIGURATION_ERROR', '500', 'internal'],
  ['AUTHORIZER_CONFIGURATION_ERROR', '503', 'unavailable'],
  ['AUTHORIZER_FAILURE', '503', 'unavailable'],
  ['BAD_REQUEST_BODY', '400', 'invalid_argument'],
  ['BAD_REQUEST_PARAMETERS', '400', 'invalid_argument'],
  ['DEFAULT_4XX', '404', 'not_found'],
  ['DEFAULT_5XX', '500', 'internal'],
  ['EXPIRED_TOKEN', '404', 'not_found'],
  ['INTEGRATION_FAILURE', '502', 'upstream_error'],
  ['INTEGRATION_TIMEOUT', '504', 'upstream_error'],
  ['INVALID_API_KEY', '403', 'permission_denied'],
  ['INVALID_SIGNATURE', '404', 'not_found'],
  ['MISSING_AUTHENTICATION_TOKEN', '404', 'not_found'],
  ['QUOTA_EXCEEDED', '429', 'rate_limited'],
  ['REQUEST_TOO_LARGE', '413', 'payload_too_large'],
  ['RESOURCE_NOT_FOUND', '404', 'not_found'],
  ['THROTTLED', '429', 'rate_limited'],
  ['UNAUTHORIZED', '401', 'unauthenticated'],
  ['UNSUPPORTED_MEDIA_TYPE', '415', 'invalid_argument'],
  ['WAF_FILTERED', '403', 'permission_denied'],
];

const ORIGIN = 'https://app.example.com';
const closed = answersOf(synthesize());
const open = answersOf(synthesize({ allowedOrigins: ORIGIN }));

function answersOf(template: ReturnType<typeof synthesize>) {
  return new Map(
    resources(template, 'AWS::ApiGateway::GatewayResponse').map(({ properties }) => [
      String(properties.ResponseType),
      properties,
    ]),
  );
}

function header(type: string, name: string): string | undefined {
  return closed.get(type)?.ResponseParameters[`gatewayresponse.header.${name}`];
}

describe('gateway responses', () => {
  test('are set for every type, so that none of the stock answers remains', () => {
    expect([...closed.keys()].sort()).toEqual(EXPECTED.map(([type]) => type));
  });

  test.for(EXPECTED)('%s is %s %s, as a problem with the request id', ([type, status, code]) => {
    const answer = closed.get(type);
    expect(answer.StatusCode).toBe(status);
    expect(header(type, 'X-Request-Id')).toBe('context.requestId');
    expect(header(type, 'Content-Type')).toBe("'application/problem+json'");
    expect(Object.keys(answer.ResponseTemplates)).toEqual(['application/json']);
    expect(JSON.parse(answer.ResponseTemplates['application/json'])).toEqual({
      type: 'about:blank',
      title: expect.stringMatching(/^[A-Z]/),
      status: Number(status),
      detail: expect.stringMatching(/^[a-z]/),
      code,
      request_id: '$context.requestId',
    });
  });

  test('a missing token is challenged with a bare Bearer', () => {
    expect(header('UNAUTHORIZED', 'WWW-Authenticate')).toBe("'Bearer'");
  });

  test('a denial carries the challenge that the authorizer made', () => {
    expect(header('ACCESS_DENIED', 'WWW-Authenticate')).toBe('context.authorizer.wwwAuthenticate');
  });

  test.for(['THROTTLED', 'QUOTA_EXCEEDED', 'AUTHORIZER_FAILURE', 'AUTHORIZER_CONFIGURATION_ERROR'])(
    '%s says when to come back',
    (type) => {
      expect(header(type, 'Retry-After')).toMatch(/^'[1-9][0-9]*'$/);
    },
  );

  test('no template repeats anything of the request or of the error', () => {
    for (const answer of closed.values()) {
      const expressions = JSON.stringify(answer.ResponseTemplates).match(/\$[\w.]+/g);
      expect(expressions).toEqual(['$context.requestId']);
    }
  });

  test('name no browser origin unless exactly one is listed, and then that one', () => {
    const name = 'gatewayresponse.header.Access-Control-Allow-Origin';
    for (const answer of closed.values()) expect(answer.ResponseParameters).not.toHaveProperty([name]);
    for (const answer of open.values()) {
      expect(answer.ResponseParameters[name]).toBe(`'${ORIGIN}'`);
      expect(answer.ResponseParameters['gatewayresponse.header.Access-Control-Expose-Headers']).toBe(
        "'Mcp-Session-Id,WWW-Authenticate,X-Request-Id'",
      );
    }
  });
});
