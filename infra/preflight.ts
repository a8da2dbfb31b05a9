import {
  AuthorizationType,
  ContentHandling,
  type MethodOptions,
  MockIntegration,
  PassthroughBehavior,
} from 'aws-cdk-lib/aws-apigateway';
import { ALLOWED_HEADERS, ALLOWED_METHODS, EXPOSED_HEADERS, PREFLIGHT_MAX_AGE_SECONDS } from './cors.ts';

/**
 * `OPTIONS` of one resource: 204 without a token. With one allowed origin it answers a browser's preflight itself; with
 * several, CloudFront adds the headers.
 */
export function preflight(browserOrigin: string | undefined): {
  integration: MockIntegration;
  options: MethodOptions;
} {
  const headers: Record<string, string> = {
    'X-Request-Id': 'context.requestId',
    ...(browserOrigin !== undefined && {
      'Access-Control-Allow-Origin': `'${browserOrigin}'`,
      'Access-Control-Allow-Methods': `'${ALLOWED_METHODS.join(',')}'`,
      'Access-Control-Allow-Headers': `'${ALLOWED_HEADERS.join(',')}'`,
      'Access-Control-Expose-Headers': `'${EXPOSED_HEADERS.join(',')}'`,
      'Access-Control-Max-Age': `'${PREFLIGHT_MAX_AGE_SECONDS}'`,
    }),
  };
  return {
    integration: new MockIntegration({
      // With binary media types */* a mock cannot read its own template unless it is text again.
      contentHandling: ContentHandling.CONVERT_TO_TEXT,
      passthroughBehavior: PassthroughBehavior.NEVER,
      requestTemplates: { 'application/json': '{"statusCode":204}' },
      integrationResponses: [
        { statusCode: '204', responseParameters: onMethodResponse(headers, (_, value) => value) },
      ],
    }),
    options: {
      authorizationType: AuthorizationType.NONE,
      methodResponses: [{ statusCode: '204', responseParameters: onMethodResponse(headers, () => true) }],
    },
  };
}

function onMethodResponse<T>(
  headers: Readonly<Record<string, string>>,
  toValue: (name: string, value: string) => T,
): Record<string, T> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [`method.response.header.${name}`, toValue(name, value)]),
  );
}
