import type { Exchange } from './proxy-event.ts';
import { lastHeader } from './request.ts';

/** What mapping expressions can refer to. */
export type MappingContext = {
  readonly exchange: Exchange;
  readonly authorizer?: Readonly<Record<string, string | number>>;
  readonly error?: { readonly message: string; readonly responseType: string };
};

/**
 * The value of a header mapping: `'literal'`, `context.…`, `stageVariables.…` or `method.request.{header|querystring|path}.…`;
 * `undefined` where it has none.
 */
export function mapParameter(source: string, context: MappingContext): string | undefined {
  const literal = /^'(.*)'$/s.exec(source)?.[1];
  return literal ?? lookUp(source, context);
}

/**
 * A gateway response's body: variables replaced, an absent one by nothing. These templates have no directives.
 */
export function substitute(template: string, context: MappingContext): string {
  return template.replace(
    /\$(?:\{((?:context|stageVariables|method)\.[\w.-]+)\}|((?:context|stageVariables|method)(?:\.[\w-]+)+))/g,
    (_, braced: string | undefined, bare: string | undefined) => lookUp(braced ?? bare ?? '', context) ?? '',
  );
}

function lookUp(source: string, { exchange, authorizer, error }: MappingContext): string | undefined {
  const { request, api, match } = exchange;
  const [, scope = '', name = ''] =
    /^(context\.authorizer|context|stageVariables|method\.request\.(?:header|querystring|path))\.(.+)$/.exec(
      source,
    ) ?? [];
  switch (scope) {
    case 'stageVariables':
      return api.stageVariables[name];
    case 'method.request.header':
      return lastHeader(request.headers, name);
    case 'method.request.querystring':
      return request.query.getAll(name).at(-1);
    case 'method.request.path':
      return match?.pathParameters[name];
    case 'context.authorizer':
      return authorizer?.[name] === undefined ? undefined : String(authorizer[name]);
    case 'context':
      return contextValue(name, exchange, error);
    default:
      return undefined;
  }
}

function contextValue(
  name: string,
  { request, api, match, requestId, extendedRequestId }: Exchange,
  error: MappingContext['error'],
): string | undefined {
  const values: Readonly<Record<string, string | undefined>> = {
    apiId: api.apiId,
    domainName: api.domainName,
    'error.message': error?.message,
    'error.messageString': error && (error.message === '' ? 'null' : JSON.stringify(error.message)),
    'error.responseType': error?.responseType,
    extendedRequestId,
    httpMethod: request.method,
    'identity.sourceIp': request.sourceIp,
    path: request.path,
    protocol: 'HTTP/1.1',
    requestId,
    resourcePath: match?.route.resourcePath,
    stage: api.stage,
  };
  return values[name];
}
