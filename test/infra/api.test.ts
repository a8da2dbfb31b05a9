import { describe, expect, test } from 'vitest';
import { ROUTES } from '../../infra/routes.ts';
import { apiMethods, render, resources, synthesize } from './synthesized.ts';

const template = synthesize();
const methods = apiMethods(template);
const routed = methods.filter(({ route }) => !route.startsWith('OPTIONS '));

/** Written down again on purpose: a route that becomes public must be added in two places. */
const PUBLIC = [
  'GET /.well-known/jwks.json',
  'GET /.well-known/oauth-authorization-server',
  'GET /.well-known/oauth-protected-resource',
  'GET /.well-known/oauth-protected-resource/{server}/mcp',
  'GET /.well-known/openid-configuration',
  'GET /connect',
  'GET /connect/{provider}',
  'GET /connect/{provider}/callback',
  'GET /healthz',
  'GET /login',
  'GET /logout',
  'GET /oauth/authorize',
  'GET /oauth/callback/{idp}',
  'POST /connect/{provider}',
  'POST /login',
  'POST /logout',
  'POST /oauth/authorize',
  'POST /oauth/consent',
  'POST /oauth/introspect',
  'POST /oauth/register',
  'POST /oauth/revoke',
  'POST /oauth/token',
];

describe('routes', () => {
  test('the API has exactly the routes of the table', () => {
    const rows = ROUTES.flatMap((row) => row.methods.map((method) => `${method} ${row.path}`));
    expect(routed.map(({ route }) => route).sort()).toEqual(rows.sort());
  });

  test.for(routed)('$route asks the authorizer unless it is public', ({ route, properties }) => {
    if (PUBLIC.includes(route)) {
      expect(properties.AuthorizationType).toBe('NONE');
      expect(properties.AuthorizerId).toBeUndefined();
    } else {
      expect(properties.AuthorizationType).toBe('CUSTOM');
      expect(render(properties.AuthorizerId)).toBe('{ApiTokenAuthorizer}');
    }
  });

  test('every public route is there', () => {
    expect(routed.map(({ route }) => route)).toEqual(expect.arrayContaining(PUBLIC));
  });

  test('no API key stands in for a token', () => {
    expect(methods.filter(({ properties }) => properties.ApiKeyRequired === true)).toEqual([]);
  });

  test('the authorizer decides every request anew and needs no header to be asked', () => {
    const authorizers = resources(template, 'AWS::ApiGateway::Authorizer');
    expect(authorizers).toHaveLength(1);
    expect(authorizers[0]?.properties).toMatchObject({ Type: 'REQUEST', AuthorizerResultTtlInSeconds: 0 });
    expect(authorizers[0]?.properties).not.toHaveProperty('IdentitySource');
    expect(render(authorizers[0]?.properties.AuthorizerUri)).toContain('{Authorizer.Arn}/invocations');
  });
});

describe('integrations', () => {
  test.for(routed)('$route reaches the function of its row', ({ route, properties }) => {
    const row = ROUTES.find(({ path, methods }) => methods.some((method) => `${method} ${path}` === route));
    const target = `${row?.target.charAt(0).toUpperCase()}${row?.target.slice(1)}`;
    expect(properties.Integration.Type).toBe('AWS_PROXY');
    expect(render(properties.Integration.Uri)).toContain(`{${target}.Arn}`);
  });

  const streamed = /\/(?:mcp|egress\/.*|context\/.*)$/;
  test.for(routed.filter(({ route }) => streamed.test(route) && !route.includes('.well-known')))(
    '$route streams',
    ({ properties }) => {
      expect(properties.Integration.ResponseTransferMode).toBe('STREAM');
      expect(render(properties.Integration.Uri)).toContain('/response-streaming-invocations');
    },
  );

  test('a proxied call may take as long as the gateway function, within the 15 minutes of API Gateway', () => {
    const timeouts = routed
      .filter(({ properties }) => render(properties.Integration.Uri).includes('{Gateway.Arn}'))
      .map(({ properties }) => properties.Integration.TimeoutInMillis);
    expect(timeouts).toHaveLength(4);
    expect(new Set(timeouts)).toEqual(new Set([870_000]));
    template.hasResourceProperties('AWS::Lambda::Function', {
      Description: 'Sallyport: MCP and egress gateway',
      Timeout: 870,
    });
  });

  test('a buffered answer is given up after 29 s', () => {
    const buffered = routed.filter(
      ({ properties }) => properties.Integration.ResponseTransferMode !== 'STREAM',
    );
    expect(buffered.map(({ properties }) => properties.Integration.TimeoutInMillis)).toEqual(
      buffered.map(() => 29_000),
    );
  });

  test('bytes arrive as they were sent', () => {
    template.hasResourceProperties('AWS::ApiGateway::RestApi', { BinaryMediaTypes: ['*/*'] });
  });
});

describe('the stage', () => {
  const [stage] = resources(template, 'AWS::ApiGateway::Stage');

  test('tells the functions the public origin', () => {
    expect(stage?.properties.StageName).toBe('prod');
    expect(render(stage?.properties.Variables.origin)).toBe('https://{ApiFrontDistribution.DomainName}');
  });

  test('logs no header, query, path parameter or body', () => {
    const { Format, DestinationArn } = stage?.properties.AccessLogSetting ?? {};
    const fields: Record<string, string> = JSON.parse(Format);
    expect(Object.values(fields)).toContain('$context.requestId');
    expect(Format).not.toMatch(
      /header|query|authorization|token|userAgent|\$context\.path\b|authorizer\.(?!latency|status)/i,
    );
    expect(render(DestinationArn)).toContain('{ApiAccessLog}');
  });

  test('writes no execution log, which would quote headers and bodies', () => {
    const settings: Record<string, unknown>[] = stage?.properties.MethodSettings;
    expect(settings.every((entry) => entry['DataTraceEnabled'] === false)).toBe(true);
    expect(settings.some((entry) => 'LoggingLevel' in entry)).toBe(false);
  });

  test('throttles and caches nothing', () => {
    const [everyMethod] = stage?.properties.MethodSettings ?? [];
    expect(everyMethod).toMatchObject({ HttpMethod: '*', ResourcePath: '/*' });
    expect(everyMethod.ThrottlingRateLimit).toBeGreaterThan(0);
    expect(everyMethod.ThrottlingBurstLimit).toBeGreaterThan(0);
    expect(stage?.properties.CacheClusterEnabled ?? false).toBe(false);
  });

  test('carries the name from the context', () => {
    synthesize({ stage: 'staging' }).hasResourceProperties('AWS::ApiGateway::Stage', {
      StageName: 'staging',
    });
  });
});
