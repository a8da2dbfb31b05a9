import { type GatewayResponseOptions, ResponseType } from 'aws-cdk-lib/aws-apigateway';
import { EXPOSED_HEADERS } from './cors.ts';

/** One answer that API Gateway gives by itself, without a function of ours. */
type OwnAnswer = {
  readonly type: ResponseType;
  readonly status: number;
  readonly title: string;
  /** `code` of contract §10. */
  readonly code: string;
  readonly detail: string;
  /** Header name → mapping expression: a literal in single quotes, or a context variable. */
  readonly headers?: Readonly<Record<string, string>>;
};

const RETRY_SOON = { 'Retry-After': "'1'" };
const RETRY_LATER = { 'Retry-After': "'5'" };
const NO_ROUTE = { status: 404, title: 'Not Found', code: 'not_found', detail: 'no such route' };
const NO_AUTHORIZER = {
  status: 503,
  title: 'Service Unavailable',
  code: 'unavailable',
  detail: 'the request could not be authorized at the moment',
  headers: RETRY_LATER,
};

/**
 * Every response type of API Gateway. `SIGNATURE` types and the 4XX default are 404: no route of ours uses SigV4, so API
 * Gateway looks for a signature in `Authorization` only where nothing matched, and would answer 403 and quote the token.
 */
// biome-ignore format: one row per response type
const OWN_ANSWERS: readonly OwnAnswer[] = [
  { type: ResponseType.MISSING_AUTHENTICATION_TOKEN, ...NO_ROUTE },
  { type: ResponseType.RESOURCE_NOT_FOUND, ...NO_ROUTE },
  { type: ResponseType.INVALID_SIGNATURE, ...NO_ROUTE },
  { type: ResponseType.EXPIRED_TOKEN, ...NO_ROUTE },
  { type: ResponseType.DEFAULT_4XX, ...NO_ROUTE },
  // Static: at this point nothing is known about the request, and a client finds the metadata at the well-known URL.
  { type: ResponseType.UNAUTHORIZED, status: 401, title: 'Unauthorized', code: 'unauthenticated', detail: 'a valid access token is needed', headers: { 'WWW-Authenticate': "'Bearer'" } },
  // That a header can come from the authorizer's context is documented for bodies only: confirm it on the first deploy.
  { type: ResponseType.ACCESS_DENIED, status: 403, title: 'Forbidden', code: 'permission_denied', detail: 'the access token does not permit this', headers: { 'WWW-Authenticate': 'context.authorizer.wwwAuthenticate' } },
  { type: ResponseType.INVALID_API_KEY, status: 403, title: 'Forbidden', code: 'permission_denied', detail: 'the request is not permitted' },
  { type: ResponseType.WAF_FILTERED, status: 403, title: 'Forbidden', code: 'permission_denied', detail: 'the request is not permitted' },
  { type: ResponseType.BAD_REQUEST_PARAMETERS, status: 400, title: 'Bad Request', code: 'invalid_argument', detail: 'a parameter of the request is not valid' },
  { type: ResponseType.BAD_REQUEST_BODY, status: 400, title: 'Bad Request', code: 'invalid_argument', detail: 'the body of the request is not valid' },
  { type: ResponseType.REQUEST_TOO_LARGE, status: 413, title: 'Content Too Large', code: 'payload_too_large', detail: 'the request is too large' },
  { type: ResponseType.UNSUPPORTED_MEDIA_TYPE, status: 415, title: 'Unsupported Media Type', code: 'invalid_argument', detail: 'the media type is not supported' },
  { type: ResponseType.THROTTLED, status: 429, title: 'Too Many Requests', code: 'rate_limited', detail: 'too many requests', headers: RETRY_SOON },
  { type: ResponseType.QUOTA_EXCEEDED, status: 429, title: 'Too Many Requests', code: 'rate_limited', detail: 'too many requests', headers: RETRY_LATER },
  { type: ResponseType.AUTHORIZER_FAILURE, ...NO_AUTHORIZER },
  { type: ResponseType.AUTHORIZER_CONFIGURATION_ERROR, ...NO_AUTHORIZER },
  { type: ResponseType.API_CONFIGURATION_ERROR, status: 500, title: 'Internal Server Error', code: 'internal', detail: 'the request could not be handled' },
  { type: ResponseType.INTEGRATION_FAILURE, status: 502, title: 'Bad Gateway', code: 'upstream_error', detail: 'the request could not be completed' },
  { type: ResponseType.INTEGRATION_TIMEOUT, status: 504, title: 'Gateway Timeout', code: 'upstream_error', detail: 'the request took too long' },
  { type: ResponseType.DEFAULT_5XX, status: 500, title: 'Internal Server Error', code: 'internal', detail: 'the request could not be handled' },
];

/**
 * The gateway responses of the API, as problem details (RFC 9457) with the request id. `browserOrigin` is the one origin
 * that may read them; where several are allowed, CloudFront answers for them.
 */
export function gatewayResponses(browserOrigin: string | undefined): GatewayResponseOptions[] {
  const cors: Record<string, string> =
    browserOrigin === undefined
      ? {}
      : {
          'Access-Control-Allow-Origin': `'${browserOrigin}'`,
          'Access-Control-Expose-Headers': `'${EXPOSED_HEADERS.join(',')}'`,
        };
  return OWN_ANSWERS.map(({ type, status, title, code, detail, headers }) => ({
    type,
    statusCode: String(status),
    responseHeaders: {
      'Content-Type': "'application/problem+json'",
      'Cache-Control': "'no-store'",
      'X-Request-Id': 'context.requestId',
      ...headers,
      ...cors,
    },
    templates: {
      // The key that API Gateway falls back to; the header above names the real type.
      'application/json': JSON.stringify({
        type: 'about:blank',
        title,
        status,
        detail,
        code,
        request_id: '$context.requestId',
      }),
    },
  }));
}
