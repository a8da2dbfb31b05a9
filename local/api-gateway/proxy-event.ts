import type { APIGatewayEventRequestContext, APIGatewayProxyEvent } from 'aws-lambda';
import { ACCOUNT_ID } from '../physical-name.ts';
import type { GatewayRequest } from './request.ts';
import { lastHeader } from './request.ts';
import type { RouteMatch } from './routes.ts';

/** What API Gateway knows about one request once it has found its route. */
export type Exchange = {
  readonly requestId: string;
  readonly extendedRequestId: string;
  readonly request: GatewayRequest;
  readonly match: RouteMatch | undefined;
  readonly api: ApiFacts;
  readonly receivedAt: Date;
};

/** What is the same for every request. */
export type ApiFacts = {
  readonly apiId: string;
  readonly stage: string;
  readonly stageVariables: Readonly<Record<string, string>>;
  /** Host and port that the API is reached at. */
  readonly domainName: string;
  readonly binaryMediaTypes: readonly string[];
};

/** Members that a proxy event and a REQUEST authorizer's event share; no body among them. */
export type EventHead = Pick<
  APIGatewayProxyEvent,
  | 'resource'
  | 'path'
  | 'httpMethod'
  | 'headers'
  | 'multiValueHeaders'
  | 'queryStringParameters'
  | 'multiValueQueryStringParameters'
  | 'pathParameters'
  | 'stageVariables'
  | 'requestContext'
>;

/** The event's head. `authorizer` is what the authorizer said; absent in its own event. */
export function toEventHead(
  exchange: Exchange,
  match: RouteMatch,
  authorizer?: Readonly<Record<string, string | number>>,
): EventHead {
  const { request, api } = exchange;
  const query = [...new Set(request.query.keys())].map((name) => [name, request.query.getAll(name)] as const);
  const parameters = Object.entries(match.pathParameters);
  return {
    resource: match.route.resourcePath,
    path: request.path,
    httpMethod: request.method,
    headers: lastOfEach(request.headers),
    multiValueHeaders: Object.fromEntries([...request.headers].map(([name, values]) => [name, [...values]])),
    queryStringParameters: query.length > 0 ? lastOfEach(query) : null,
    multiValueQueryStringParameters: query.length > 0 ? Object.fromEntries(query) : null,
    pathParameters: parameters.length > 0 ? Object.fromEntries(parameters) : null,
    stageVariables: { ...api.stageVariables },
    requestContext: toRequestContext(exchange, match, authorizer),
  };
}

/** The event of a Lambda proxy integration. Bytes of a binary media type travel in base64, exactly as they came. */
export function toProxyEvent(
  exchange: Exchange,
  match: RouteMatch,
  authorizer: Readonly<Record<string, string | number>> | undefined,
): APIGatewayProxyEvent {
  const { body, headers } = exchange.request;
  const type = lastHeader(headers, 'Content-Type')?.split(';')[0]?.trim() ?? '';
  const binary = exchange.api.binaryMediaTypes;
  const isBinary = body.length > 0 && (binary.includes('*/*') || binary.includes(type));
  return {
    ...toEventHead(exchange, match, authorizer),
    body: body.length === 0 ? null : body.toString(isBinary ? 'base64' : 'utf8'),
    isBase64Encoded: isBinary,
  };
}

function toRequestContext(
  exchange: Exchange,
  match: RouteMatch,
  authorizer: Readonly<Record<string, string | number>> | undefined,
): APIGatewayEventRequestContext {
  const { request, api, receivedAt } = exchange;
  return {
    accountId: ACCOUNT_ID,
    apiId: api.apiId,
    authorizer: authorizer && { ...authorizer },
    domainName: api.domainName,
    domainPrefix: api.domainName.split('.')[0] ?? '',
    extendedRequestId: exchange.extendedRequestId,
    httpMethod: request.method,
    identity: {
      accessKey: null,
      accountId: null,
      apiKey: null,
      apiKeyId: null,
      caller: null,
      clientCert: null,
      cognitoAuthenticationProvider: null,
      cognitoAuthenticationType: null,
      cognitoIdentityId: null,
      cognitoIdentityPoolId: null,
      principalOrgId: null,
      sourceIp: request.sourceIp,
      user: null,
      userAgent: lastHeader(request.headers, 'User-Agent') ?? null,
      userArn: null,
    },
    path: request.path,
    protocol: 'HTTP/1.1',
    requestId: exchange.requestId,
    requestTime: toLogTime(receivedAt),
    requestTimeEpoch: receivedAt.getTime(),
    resourceId: match.route.resourceId,
    resourcePath: match.route.resourcePath,
    stage: api.stage,
  };
}

/** `21/Nov/2026:10:00:00 +0000` */
function toLogTime(time: Date): string {
  const [, day, month, year, clock] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(time.toUTCString()) ?? [];
  return `${day}/${month}/${year}:${clock} +0000`;
}

function lastOfEach(entries: Iterable<readonly [string, readonly string[]]>): Record<string, string> {
  return Object.fromEntries([...entries].map(([name, values]) => [name, values.at(-1) ?? '']));
}
