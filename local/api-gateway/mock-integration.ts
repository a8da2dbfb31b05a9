import { isObject, type JsonObject, toArray, toObject } from '../json.ts';
import type { OwnResponse } from './gateway-response.ts';
import { type MappingContext, mapParameter, substitute } from './mapping.ts';

/**
 * Answers a MOCK integration: the request template names a status, the integration response whose pattern matches it (or the
 * one without a pattern) answers. `undefined` where there is none.
 * @throws Error where a response template has directives: there is no VTL here
 */
export function answerMock(integration: JsonObject, context: MappingContext): OwnResponse | undefined {
  const request = String(toObject(integration['RequestTemplates'])['application/json'] ?? '');
  const asked = /"?statusCode"?\s*:\s*(\d{3})/.exec(request)?.[1] ?? '';
  const responses = toArray(integration['IntegrationResponses']).filter(isObject);
  const response =
    responses.find((one) => {
      const pattern = one['SelectionPattern'];
      return typeof pattern === 'string' && new RegExp(`^(?:${pattern})$`).test(asked);
    }) ?? responses.find((one) => one['SelectionPattern'] === undefined);
  if (response === undefined || asked === '') return undefined;
  const headers: Record<string, string> = {};
  for (const [name, source] of Object.entries(toObject(response['ResponseParameters']))) {
    const header = /^method\.response\.header\.(.+)$/.exec(name)?.[1];
    const value = mapParameter(String(source), context);
    if (header !== undefined && value !== undefined) headers[header] = value;
  }
  const [contentType, template] = Object.entries(toObject(response['ResponseTemplates']))[0] ?? ['', ''];
  const text = String(template);
  if (/#(?:set|if|foreach|end)\b/.test(text)) throw new Error('a MOCK integration has a VTL template');
  if (contentType !== '' && text !== '') headers['Content-Type'] ??= contentType;
  return { status: Number(response['StatusCode']), headers, body: substitute(text, context) };
}
