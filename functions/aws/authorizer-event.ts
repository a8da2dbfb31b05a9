import type { APIGatewayAuthorizerResult, APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import type { AuthorizerRequest, AuthorizerVerdict } from '../core/invocation.ts';
import { originOf, requestIdOf, toHeaders, traceOf } from './lambda.ts';

/**
 * A REQUEST authorizer for a REST API. `Unauthorized` thrown is API Gateway's word for 401; any other failure becomes
 * `AUTHORIZER_FAILURE`, which the API answers with 503. The context carries the challenge and who was let in (for access logs);
 * nothing behind takes identity from it.
 */
export function createAuthorizerHandler(
  authorize: (request: AuthorizerRequest) => Promise<AuthorizerVerdict>,
): (event: APIGatewayRequestAuthorizerEvent) => Promise<APIGatewayAuthorizerResult> {
  return async (event) => {
    const answer = await authorize({
      requestId: requestIdOf(event.requestContext),
      origin: originOf(event),
      method: event.httpMethod,
      path: event.path,
      headers: toHeaders(event),
      repeatedHeaders: repeatedHeaders(event),
      queryNames: Object.keys(event.multiValueQueryStringParameters ?? {}),
      ...traceOf(event),
    });
    if (answer.verdict === 'unauthorized') throw new Error('Unauthorized');
    if (answer.verdict === 'unavailable') throw new Error('a dependency is unavailable');
    return {
      principalId: answer.caller.clientId,
      policyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Action: 'execute-api:Invoke',
            Effect: answer.verdict === 'allow' ? 'Allow' : 'Deny',
            Resource: event.methodArn,
          },
        ],
      },
      context: {
        clientId: answer.caller.clientId,
        ...(answer.verdict === 'deny' ? { wwwAuthenticate: answer.challenge } : {}),
      },
    };
  };
}

function repeatedHeaders(event: APIGatewayRequestAuthorizerEvent): readonly string[] {
  const names = Object.entries(event.multiValueHeaders ?? {}).flatMap(([name, values]) =>
    (values ?? []).map(() => name.toLowerCase()),
  );
  return names.filter((name, index) => names.indexOf(name) !== index);
}
