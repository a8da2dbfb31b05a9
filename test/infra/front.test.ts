import { describe, expect, test } from 'vitest';
import { render, resources, synthesize } from './synthesized.ts';

const ORIGINS = ['https://a.example.com', 'https://b.example.com'];

describe('CloudFront', () => {
  const template = synthesize({ allowedOrigins: ORIGINS.join(',') });
  const [distribution] = resources(template, 'AWS::CloudFront::Distribution');
  const {
    DefaultCacheBehavior: behavior,
    Origins,
    CacheBehaviors,
  } = distribution?.properties.DistributionConfig ?? {};
  const [policy] = resources(template, 'AWS::CloudFront::ResponseHeadersPolicy');
  const headers = policy?.properties.ResponseHeadersPolicyConfig ?? {};

  test('serves the stage of the API at the root, over TLS 1.2', () => {
    expect(Origins).toHaveLength(1);
    const [origin] = Origins;
    expect(render(origin.DomainName)).toBe('{ApiRest}.execute-api.{AWS::Region}.{AWS::URLSuffix}');
    expect(origin.OriginPath).toBe('/prod');
    expect(origin.CustomOriginConfig).toEqual({
      OriginProtocolPolicy: 'https-only',
      OriginReadTimeout: 60,
      OriginSSLProtocols: ['TLSv1.2'],
    });
  });

  test('proves itself to the API with a generated secret that the template does not tell', () => {
    const [origin] = Origins;
    expect(origin.OriginCustomHeaders).toHaveLength(1);
    const [{ HeaderName, HeaderValue }] = origin.OriginCustomHeaders;
    expect(HeaderName).toBe('X-Sallyport-Edge');
    expect(render(HeaderValue)).toBe('{{resolve:secretsmanager:{EdgeSecret1}:SecretString:::}}');
    const secrets = (of: typeof template) =>
      resources(of, 'AWS::SecretsManager::Secret').filter(({ id }) => id.startsWith('EdgeSecret'));
    expect(secrets(template).map(({ properties }) => properties)).toMatchObject([
      {
        Name: 'sallyport/prod/edge-1',
        GenerateSecretString: { PasswordLength: 64, ExcludePunctuation: true },
      },
    ]);
    expect(secrets(template)[0]?.properties).not.toHaveProperty('SecretString');
  });

  test('takes another secret where another generation is asked for', () => {
    const next = synthesize({ edgeSecret: '2', stage: 'dev' });
    expect(JSON.stringify(resources(next, 'AWS::CloudFront::Distribution'))).toContain('EdgeSecret2');
    expect(JSON.stringify(next.toJSON())).toContain('sallyport/dev/edge-2');
    expect(JSON.stringify(next.toJSON())).not.toContain('EdgeSecret1');
  });

  test('has one behavior, for every method, that refuses plain HTTP and neither caches nor compresses', () => {
    expect(CacheBehaviors).toBeUndefined();
    expect(behavior.AllowedMethods.sort()).toEqual([
      'DELETE',
      'GET',
      'HEAD',
      'OPTIONS',
      'PATCH',
      'POST',
      'PUT',
    ]);
    expect(behavior).toMatchObject({
      ViewerProtocolPolicy: 'https-only',
      Compress: false,
      // AWS's own names for them: Managed-CachingDisabled and Managed-AllViewerExceptHostHeader.
      CachePolicyId: '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
      OriginRequestPolicyId: 'b689b0a8-53d0-40ab-baf2-68738e2966ac',
    });
  });

  test("remembers no error, so that one caller's 404 is never another's", () => {
    const errors: { ErrorCode: number; ErrorCachingMinTTL: number; ResponsePagePath?: string }[] =
      distribution?.properties.DistributionConfig.CustomErrorResponses;
    expect(errors.map(({ ErrorCode }) => ErrorCode)).toEqual(
      expect.arrayContaining([403, 404, 500, 502, 503, 504]),
    );
    for (const error of errors) expect(error).toEqual({ ErrorCode: error.ErrorCode, ErrorCachingMinTTL: 0 });
  });

  test('answers CORS for the listed origins alone, on every answer, without credentials', () => {
    expect(render(behavior.ResponseHeadersPolicyId)).toBe('{ApiFrontResponseHeaders}');
    expect(headers.CorsConfig).toMatchObject({
      AccessControlAllowOrigins: { Items: ORIGINS },
      AccessControlAllowCredentials: false,
      AccessControlExposeHeaders: { Items: ['Mcp-Session-Id', 'WWW-Authenticate', 'X-Request-Id'] },
      OriginOverride: true,
    });
    expect(JSON.stringify(headers.CorsConfig)).not.toContain('*');
  });

  test('says nothing of CORS when no origin is listed', () => {
    const [closed] = resources(synthesize(), 'AWS::CloudFront::ResponseHeadersPolicy');
    expect(closed?.properties.ResponseHeadersPolicyConfig).not.toHaveProperty('CorsConfig');
  });

  test('is the origin that deployers are told', () => {
    const outputs = Object.entries(template.findOutputs('*')).map(([name, { Value }]) => [
      name,
      render(Value),
    ]);
    const origin = 'https://{ApiFrontDistribution.DomainName}';
    expect(Object.fromEntries(outputs)).toEqual({
      Origin: origin,
      ApiUrl: 'https://{ApiRest}.execute-api.{AWS::Region}.{AWS::URLSuffix}/{ApiRestDeploymentStageprod}/',
      JwksUrl: `${origin}/.well-known/jwks.json`,
      TokenEndpoint: `${origin}/oauth/token`,
      McpUrlPattern: `${origin}/{server}/mcp`,
    });
  });
});

describe('a custom domain', () => {
  const context = {
    domainName: 'gate.example.com',
    certificateArn: 'arn:aws:acm:eu-west-1:111122223333:certificate/one',
  };
  const template = synthesize({ ...context, hostedZoneId: 'Z0123456789' });

  test('replaces CloudFront and is the origin', () => {
    template.resourceCountIs('AWS::CloudFront::Distribution', 0);
    template.hasResourceProperties('AWS::ApiGateway::Stage', {
      Variables: { origin: 'https://gate.example.com' },
    });
    template.hasOutput('Origin', { Value: 'https://gate.example.com' });
  });

  test('has nothing that proves that a request came through CloudFront', () => {
    expect(JSON.stringify(template.toJSON())).not.toMatch(/EdgeSecret|sallyport\/prod\/edge/);
    const issuer = resources(template, 'AWS::Lambda::Function').find(({ id }) => id.startsWith('Issuer'));
    expect(issuer?.properties.Environment.Variables).toMatchObject({ EDGE_SECRET: '' });
  });

  test('is regional, speaks TLS 1.2 and is mapped at the root', () => {
    template.hasResourceProperties('AWS::ApiGateway::DomainName', {
      DomainName: 'gate.example.com',
      RegionalCertificateArn: context.certificateArn,
      SecurityPolicy: 'TLS_1_2',
      EndpointConfiguration: { Types: ['REGIONAL'] },
    });
    const [mapping] = resources(template, 'AWS::ApiGateway::BasePathMapping');
    expect(mapping?.properties).not.toHaveProperty('BasePath');
    expect(render(mapping?.properties.Stage)).toBe('{ApiRestDeploymentStageprod}');
  });

  test('gets its records in the zone, and none where no zone is given', () => {
    const records = resources(template, 'AWS::Route53::RecordSet').map(({ properties }) => properties);
    expect(records.map(({ Name, Type, HostedZoneId }) => [Name, Type, HostedZoneId])).toEqual([
      ['gate.example.com.', 'A', 'Z0123456789'],
      ['gate.example.com.', 'AAAA', 'Z0123456789'],
    ]);
    synthesize(context).resourceCountIs('AWS::Route53::RecordSet', 0);
  });
});
