import { isObject, type Json, type JsonObject, parseObject, toObject, toText } from '../json.ts';
import type { Lambda } from '../lambda.ts';
import { ACCOUNT_ID, REGION } from '../physical-name.ts';
import type { Template } from '../template.ts';
import { admits } from './authorizer-policy.ts';
import { functionOf } from './lambda-uri.ts';
import type { Exchange } from './proxy-event.ts';
import { toEventHead } from './proxy-event.ts';
import { lastHeader } from './request.ts';
import type { RouteMatch } from './routes.ts';

/** What an authorizer made of a request; a refusal names the gateway response that answers it. */
export type Authorization =
  | { readonly kind: 'admitted'; readonly context: Readonly<Record<string, string | number>> }
  | {
      readonly kind: 'refused';
      readonly responseType: string;
      readonly context: Readonly<Record<string, string>>;
    };

/**
 * The REQUEST authorizers of the API. Answers are not cached: an authorizer that asks for a cache is refused at the start,
 * because a cached answer is reused for every route.
 */
export class Authorizers {
  readonly #lambda: Lambda;
  readonly #authorizers = new Map<string, { functionId: string; identitySources: readonly string[] }>();

  constructor(template: Template, lambda: Lambda) {
    this.#lambda = lambda;
    for (const { logicalId, properties } of template.ofType('AWS::ApiGateway::Authorizer')) {
      const isRequest = template.text(properties['Type']) === 'REQUEST';
      const isUncached = template.text(properties['AuthorizerResultTtlInSeconds']) === '0';
      if (!isRequest || !isUncached) {
        throw new Error(`authorizer \`${logicalId}\` must be of type REQUEST and have a result TTL of 0`);
      }
      this.#authorizers.set(logicalId, {
        functionId: functionOf(template, template.text(properties['AuthorizerUri']) ?? ''),
        identitySources: (template.text(properties['IdentitySource']) ?? '')
          .split(',')
          .map((source) => source.trim())
          .filter((source) => source !== ''),
      });
    }
  }

  /** Asks one authorizer about a request. */
  async authorize(authorizerId: string, exchange: Exchange, match: RouteMatch): Promise<Authorization> {
    const authorizer = this.#authorizers.get(authorizerId);
    if (authorizer === undefined) return refused('AUTHORIZER_CONFIGURATION_ERROR');
    if (!authorizer.identitySources.every((source) => isPresent(source, exchange)))
      return refused('UNAUTHORIZED');
    const { request, api } = exchange;
    const path = request.path.replace(/^\//, '');
    const methodArn = `arn:aws:execute-api:${REGION}:${ACCOUNT_ID}:${api.apiId}/${api.stage}/${request.method}/${path}`;
    const startedAt = performance.now();
    const event = { type: 'REQUEST', methodArn, ...toEventHead(exchange, match) };
    // biome-ignore lint/nursery/noUnsafeTypeAssertion: the event is made of JSON values alone
    const outcome = await this.#lambda.invoke(authorizer.functionId, event as unknown as Json, {
      requestId: exchange.requestId,
    });
    if (outcome.kind === 'failed') {
      const isUnauthorized = outcome.error.errorMessage === 'Unauthorized';
      return refused(isUnauthorized ? 'UNAUTHORIZED' : 'AUTHORIZER_FAILURE');
    }
    const answer = outcome.kind === 'returned' ? parseObject(outcome.payload) : undefined;
    const principalId = toText(answer?.['principalId']);
    const context = toContext(toObject(answer?.['context']));
    if (principalId === undefined || !isObject(answer?.['policyDocument']) || context === undefined) {
      return refused('AUTHORIZER_CONFIGURATION_ERROR');
    }
    if (!admits(answer['policyDocument'], methodArn))
      return refused('ACCESS_DENIED', { principalId, ...context });
    const integrationLatency = Math.round(performance.now() - startedAt);
    return { kind: 'admitted', context: { ...context, principalId, integrationLatency } };
  }
}

function refused(responseType: string, context: Readonly<Record<string, string>> = {}): Authorization {
  return { kind: 'refused', responseType, context };
}

/** Values as text; `undefined` where one is not a string, number or boolean, which API Gateway does not take. */
function toContext(given: JsonObject): Record<string, string> | undefined {
  const context: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === null || typeof value === 'object') return undefined;
    if (value !== undefined) context[name] = String(value);
  }
  return context;
}

function isPresent(source: string, { request, api }: Exchange): boolean {
  const [, kind, name = ''] =
    /^(method\.request\.(?:header|querystring)|stageVariables)\.(.+)$/.exec(source) ?? [];
  if (kind === 'stageVariables') return (api.stageVariables[name] ?? '') !== '';
  if (kind === 'method.request.querystring') return (request.query.get(name) ?? '') !== '';
  return kind !== undefined && (lastHeader(request.headers, name) ?? '') !== '';
}
