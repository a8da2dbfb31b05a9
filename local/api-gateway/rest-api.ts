import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { toObject } from '../json.ts';
import type { Lambda } from '../lambda.ts';
import type { Template } from '../template.ts';
import { Authorizers } from './authorizer.ts';
import { FrontCors } from './front-cors.ts';
import { GatewayResponses, type OwnResponse } from './gateway-response.ts';
import { answerBuffered, answerStreamed, type Disconnects, type ProxyCall } from './lambda-integration.ts';
import { functionOf } from './lambda-uri.ts';
import { answerMock } from './mock-integration.ts';
import { type ApiFacts, type Exchange, toProxyEvent } from './proxy-event.ts';
import { type GatewayRequest, readRequest } from './request.ts';
import { toClientHeaders } from './response-headers.ts';
import { binaryMediaTypes, type Route, type RouteMatch, RouteTable } from './routes.ts';

/** API Gateway's integration timeout where the template sets none. */
const DEFAULT_TIMEOUT_MS = 29_000;

/** What a REST API is served with. */
export type RestApiOptions = {
  readonly template: Template;
  readonly lambda: Lambda;
  readonly disconnects: Disconnects;
  /** Gets failures of the emulation itself. */
  readonly log: (line: string) => void;
};

type Authorizer = Readonly<Record<string, string | number>> | undefined;

/** The REST API of a template: from a request to its answer, in API Gateway's order. */
export class RestApi {
  readonly #options: RestApiOptions;
  readonly #facts: ApiFacts;
  readonly #routes: RouteTable;
  readonly #authorizers: Authorizers;
  readonly #responses: GatewayResponses;
  readonly #cors: FrontCors;
  readonly #functionIds = new Map<Route, string>();

  /** @throws Error where the template uses something that is not emulated */
  constructor(options: RestApiOptions, origin: string) {
    const { template, lambda } = options;
    const apiId = template.ofType('AWS::ApiGateway::RestApi')[0]?.logicalId ?? '';
    this.#options = options;
    this.#facts = readFacts(template, apiId, origin);
    this.#routes = new RouteTable(template, apiId);
    this.#authorizers = new Authorizers(template, lambda);
    this.#responses = new GatewayResponses(template);
    this.#cors = new FrontCors(template);
  }

  /** Answers one request; whatever goes wrong, with a gateway response. */
  async handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomUUID();
    response.setHeader('x-amzn-RequestId', requestId);
    try {
      const request = await readRequest(message);
      const exchange = this.#exchange(requestId, request ?? EMPTY_REQUEST);
      response.setHeader('x-amz-apigw-id', exchange.extendedRequestId);
      if (request === undefined) this.#own(response, exchange, 'REQUEST_TOO_LARGE');
      else await this.#route(exchange, response);
    } catch (error) {
      if (message.destroyed && !message.complete) return;
      this.#options.log(`request ${requestId}: ${error instanceof Error ? error.stack : String(error)}`);
      if (response.headersSent) response.destroy();
      else this.#own(response, this.#exchange(requestId, EMPTY_REQUEST), 'API_CONFIGURATION_ERROR');
    }
  }

  async #route(unrouted: Exchange, response: ServerResponse): Promise<void> {
    const { method, path } = unrouted.request;
    let match: RouteMatch | undefined;
    try {
      match = this.#routes.match(method, path);
    } catch {
      return this.#own(response, unrouted, 'BAD_REQUEST_PARAMETERS');
    }
    if (match === undefined) return this.#own(response, unrouted, 'MISSING_AUTHENTICATION_TOKEN');
    const exchange = { ...unrouted, match };
    let authorizer: Authorizer;
    if (match.route.authorizerId !== undefined) {
      const decision = await this.#authorizers.authorize(match.route.authorizerId, exchange, match);
      if (decision.kind === 'refused') {
        return this.#own(response, exchange, decision.responseType, decision.context);
      }
      authorizer = decision.context;
    }
    await this.#integrate(exchange, match, authorizer, response);
  }

  async #integrate(
    exchange: Exchange,
    match: RouteMatch,
    authorizer: Authorizer,
    response: ServerResponse,
  ): Promise<void> {
    const { integration } = match.route;
    if (integration['Type'] === 'MOCK') {
      const answer = answerMock(integration, { exchange, ...(authorizer && { authorizer }) });
      if (answer === undefined) return this.#own(response, exchange, 'API_CONFIGURATION_ERROR', authorizer);
      return this.#write(response, exchange, answer);
    }
    const { lambda, disconnects } = this.#options;
    const call: ProxyCall = {
      functionId: this.#functionOf(match.route),
      event: toProxyEvent(exchange, match, authorizer),
      timeoutMs: Number(integration['TimeoutInMillis'] ?? DEFAULT_TIMEOUT_MS),
      requestId: exchange.requestId,
      fail: (responseType) => this.#own(response, exchange, responseType, authorizer),
      writeHead: (head, bodyBytes) => {
        const headers = toClientHeaders(head.headers);
        const names = new Set([...headers.keys()].map((name) => name.toLowerCase()));
        if (!names.has('content-type')) response.setHeader('Content-Type', 'application/json');
        for (const [name, values] of headers)
          response.setHeader(name, values.length === 1 ? String(values[0]) : values);
        const hasLength = bodyBytes !== undefined && head.status !== 204 && head.status !== 304;
        if (hasLength) response.setHeader('Content-Length', bodyBytes);
        this.#cors.apply(exchange.request, response);
        response.writeHead(head.status);
      },
    };
    const { binaryMediaTypes: binary } = this.#facts;
    if (integration['ResponseTransferMode'] === 'STREAM') {
      return answerStreamed(lambda, call, response, disconnects);
    }
    return answerBuffered(lambda, call, response, binary.includes('*/*'));
  }

  #functionOf(route: Route): string {
    const known = this.#functionIds.get(route);
    if (known !== undefined) return known;
    const functionId = functionOf(this.#options.template, String(route.integration['Uri']));
    this.#functionIds.set(route, functionId);
    return functionId;
  }

  #own(response: ServerResponse, exchange: Exchange, responseType: string, authorizer?: Authorizer): void {
    if (response.destroyed) return;
    const answer = this.#responses.create(responseType, { exchange, ...(authorizer && { authorizer }) });
    this.#write(response, exchange, answer);
  }

  #write(response: ServerResponse, { request }: Exchange, { status, headers, body }: OwnResponse): void {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const hasBody = status !== 204 && status !== 304;
    if (hasBody) response.setHeader('Content-Length', Buffer.byteLength(body));
    this.#cors.apply(request, response);
    response.writeHead(status);
    response.end(hasBody ? body : undefined);
  }

  #exchange(requestId: string, request: GatewayRequest): Exchange {
    const extendedRequestId = randomBytes(12).toString('base64');
    const receivedAt = new Date();
    return { requestId, extendedRequestId, request, match: undefined, api: this.#facts, receivedAt };
  }
}

const EMPTY_REQUEST: GatewayRequest = {
  method: 'GET',
  path: '/',
  query: new URLSearchParams(),
  headers: new Map(),
  body: Buffer.alloc(0),
  sourceIp: '127.0.0.1',
};

function readFacts(template: Template, apiId: string, origin: string): ApiFacts {
  const [stage] = template.ofType('AWS::ApiGateway::Stage');
  const variables = Object.entries(toObject(stage?.properties['Variables'])).filter(
    ([name]) => name !== 'origin',
  );
  const texts = variables.map(([name, value]) => [name, template.text(value) ?? '']);
  return {
    apiId: template.ref(apiId),
    stage: template.text(stage?.properties['StageName']) ?? 'prod',
    stageVariables: { ...Object.fromEntries(texts), origin },
    domainName: new URL(origin).host,
    binaryMediaTypes: binaryMediaTypes(template, apiId),
  };
}
