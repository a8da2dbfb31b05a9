import { Duration, Stack, Validations } from 'aws-cdk-lib';
import {
  AllowedMethods,
  CachePolicy,
  Distribution,
  HttpVersion,
  OriginProtocolPolicy,
  OriginRequestPolicy,
  OriginSslPolicy,
  ResponseHeadersPolicy,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import type { Construct } from 'constructs';
import { ALLOWED_HEADERS, ALLOWED_METHODS, EXPOSED_HEADERS, PREFLIGHT_MAX_AGE_SECONDS } from './cors.ts';
import type { EdgeSecret } from './edge-secret.ts';
import type { Settings } from './settings.ts';

/**
 * Statuses that CloudFront remembers for 10 s of its own accord, whatever the cache policy: by path alone, so that one
 * caller's 404 would answer another's request.
 */
const CACHED_ERRORS = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];

/**
 * CloudFront before the API: root paths without the stage, TLS, and CORS on every answer. Nothing is cached or
 * compressed, and every header but `Host` goes through. Takes the API's id, not its URL, which would depend on the stage
 * that depends on this distribution. With `edge`, every request to the API has its secret in `X-Sallyport-Edge`, whatever the viewer sent
 * by that name; the template has a reference in its place, which CloudFormation resolves.
 */
export function createDistribution(
  scope: Construct,
  settings: Settings,
  restApiId: string,
  edge: EdgeSecret | undefined,
): Distribution {
  const { region, urlSuffix } = Stack.of(scope);
  const distribution = new Distribution(scope, 'Distribution', {
    comment: `Sallyport ${settings.stage}`,
    httpVersion: HttpVersion.HTTP2_AND_3,
    defaultBehavior: {
      origin: new HttpOrigin(`${restApiId}.execute-api.${region}.${urlSuffix}`, {
        originPath: `/${settings.stage}`,
        protocolPolicy: OriginProtocolPolicy.HTTPS_ONLY,
        originSslProtocols: [OriginSslPolicy.TLS_V1_2],
        // The longest silence that CloudFront allows without a quota; the gateway speaks every 20 s.
        readTimeout: Duration.seconds(60),
        ...(edge !== undefined && {
          customHeaders: { 'X-Sallyport-Edge': edge.secret.secretValue.unsafeUnwrap() },
        }),
      }),
      viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
      allowedMethods: AllowedMethods.ALLOW_ALL,
      cachePolicy: CachePolicy.CACHING_DISABLED,
      originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
      responseHeadersPolicy: responseHeaders(scope, settings),
      compress: false,
    },
    errorResponses: CACHED_ERRORS.map((httpStatus) => ({ httpStatus, ttl: Duration.seconds(0) })),
  });
  Validations.of(distribution).acknowledge(
    {
      id: 'AwsSolutions-CFR1',
      reason: 'Agents call from wherever they run; who may call is decided by token.',
    },
    {
      id: 'AwsSolutions-CFR2',
      reason: 'A web ACL is a cost that the deployer chooses; docs say where to attach it.',
    },
    { id: 'AwsSolutions-CFR3', reason: 'Nothing is cached, so the access log of the API has every request.' },
    {
      id: 'AwsSolutions-CFR4',
      reason: 'The certificate of *.cloudfront.net fixes the policy; `domainName` gives TLS 1.2.',
    },
  );
  return distribution;
}

function responseHeaders(scope: Construct, settings: Settings): ResponseHeadersPolicy {
  const { stage, allowedOrigins } = settings;
  return new ResponseHeadersPolicy(scope, 'ResponseHeaders', {
    // Unique in the account, which can hold several stages and regions.
    responseHeadersPolicyName: `sallyport-${stage}-${Stack.of(scope).region}`,
    comment: 'Transport security, and CORS for listed origins alone',
    securityHeadersBehavior: {
      contentTypeOptions: { override: true },
      strictTransportSecurity: {
        accessControlMaxAge: Duration.days(365),
        includeSubdomains: false,
        override: true,
      },
    },
    ...(allowedOrigins.length > 0 && {
      corsBehavior: {
        accessControlAllowOrigins: [...allowedOrigins],
        accessControlAllowMethods: [...ALLOWED_METHODS],
        accessControlAllowHeaders: [...ALLOWED_HEADERS],
        accessControlExposeHeaders: [...EXPOSED_HEADERS],
        accessControlAllowCredentials: false,
        accessControlMaxAge: Duration.seconds(PREFLIGHT_MAX_AGE_SECONDS),
        originOverride: true,
      },
    }),
  });
}
