import { type JsonObject, toObject } from '../json.ts';
import type { Template } from '../template.ts';
import { type MappingContext, mapParameter, substitute } from './mapping.ts';
import { lastHeader } from './request.ts';

/** An answer of API Gateway itself. */
export type OwnResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

type Default = { readonly status: number; readonly message: string; readonly errorType: string };

// biome-ignore format: one row per type of gateway response
const DEFAULTS: Readonly<Record<string, Default>> = {
  ACCESS_DENIED: { status: 403, message: 'User is not authorized to access this resource', errorType: 'AccessDeniedException' },
  AUTHORIZER_CONFIGURATION_ERROR: { status: 500, message: '', errorType: 'AuthorizerConfigurationException' },
  AUTHORIZER_FAILURE: { status: 500, message: '', errorType: 'AuthorizerFailureException' },
  BAD_REQUEST_PARAMETERS: { status: 400, message: 'Bad Request', errorType: 'BadRequestException' },
  INTEGRATION_FAILURE: { status: 502, message: 'Internal server error', errorType: 'InternalServerErrorException' },
  INTEGRATION_TIMEOUT: { status: 504, message: 'Endpoint request timed out', errorType: 'InternalServerErrorException' },
  MISSING_AUTHENTICATION_TOKEN: { status: 403, message: 'Missing Authentication Token', errorType: 'MissingAuthenticationTokenException' },
  REQUEST_TOO_LARGE: { status: 413, message: 'Request Too Long', errorType: 'RequestTooLargeException' },
  UNAUTHORIZED: { status: 401, message: 'Unauthorized', errorType: 'UnauthorizedException' },
  API_CONFIGURATION_ERROR: { status: 500, message: 'Internal server error', errorType: 'InternalServerErrorException' },
};

const UNKNOWN: Default = {
  status: 500,
  message: 'Internal server error',
  errorType: 'InternalServerErrorException',
};

/** The gateway responses of the API: the template's, behind them its DEFAULT_4XX and DEFAULT_5XX, behind them AWS's own. */
export class GatewayResponses {
  readonly #responses = new Map<string, JsonObject>();

  constructor(template: Template) {
    for (const { properties } of template.ofType('AWS::ApiGateway::GatewayResponse')) {
      this.#responses.set(
        template.text(properties['ResponseType']) ?? '',
        toObject(template.resolve(properties)),
      );
    }
  }

  /** Builds the answer of one response type. A header whose source has no value is left out. */
  create(type: string, context: MappingContext): OwnResponse {
    const standard = DEFAULTS[type] ?? UNKNOWN;
    const family = this.#responses.get(standard.status < 500 ? 'DEFAULT_4XX' : 'DEFAULT_5XX');
    const response = this.#responses.get(type) ?? family ?? {};
    const filled = { ...context, error: { message: standard.message, responseType: type } };
    const templates = Object.entries(toObject(response['ResponseTemplates']));
    const accept = lastHeader(context.exchange.request.headers, 'Accept') ?? '';
    const [contentType, body] = templates.find(([mediaType]) => accept.includes(mediaType)) ??
      templates[0] ?? ['application/json', '{"message":$context.error.messageString}'];
    const headers: Record<string, string> = {
      'Content-Type': contentType,
      'x-amzn-ErrorType': standard.errorType,
    };
    for (const [name, source] of Object.entries(toObject(response['ResponseParameters']))) {
      const header = /^gatewayresponse\.header\.(.+)$/.exec(name)?.[1];
      const value = mapParameter(String(source), filled);
      if (header !== undefined && value !== undefined) headers[header] = value;
    }
    const status = Number(response['StatusCode'] ?? standard.status);
    return { status, headers, body: substitute(String(body), filled) };
  }
}
