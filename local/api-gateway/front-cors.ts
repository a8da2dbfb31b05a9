import type { ServerResponse } from 'node:http';
import { type JsonObject, toArray, toObject } from '../json.ts';
import type { Template } from '../template.ts';
import { type GatewayRequest, lastHeader } from './request.ts';

/**
 * CORS as the CloudFront distribution of the template puts it on every answer, errors included, for listed origins alone. A
 * template without such a policy, or with one that lists no origins, adds nothing.
 */
export class FrontCors {
  readonly #config: JsonObject;
  readonly #origins: readonly string[];

  constructor(template: Template) {
    const [policy] = template.ofType('AWS::CloudFront::ResponseHeadersPolicy');
    const settings = toObject(
      toObject(template.resolve(policy?.properties ?? null))['ResponseHeadersPolicyConfig'],
    );
    this.#config = toObject(settings['CorsConfig']);
    this.#origins = this.#items('AccessControlAllowOrigins');
  }

  /** Sets the headers, in the place of any that the answer has of its own. */
  apply(request: GatewayRequest, response: ServerResponse): void {
    if (this.#origins.length === 0) return;
    if (!/\borigin\b/i.test(String(response.getHeader('Vary') ?? '')))
      response.appendHeader('Vary', 'Origin');
    const origin = lastHeader(request.headers, 'Origin');
    if (origin === undefined || !this.#origins.includes(origin)) return;
    response.setHeader('Access-Control-Allow-Origin', origin);
    const isPreflight =
      request.method === 'OPTIONS' &&
      lastHeader(request.headers, 'Access-Control-Request-Method') !== undefined;
    if (isPreflight) {
      response.setHeader('Access-Control-Allow-Methods', this.#items('AccessControlAllowMethods').join(', '));
      response.setHeader('Access-Control-Allow-Headers', this.#items('AccessControlAllowHeaders').join(', '));
      response.setHeader('Access-Control-Max-Age', String(this.#config['AccessControlMaxAgeSec'] ?? 5));
    } else {
      response.setHeader(
        'Access-Control-Expose-Headers',
        this.#items('AccessControlExposeHeaders').join(', '),
      );
    }
  }

  #items(name: string): string[] {
    return toArray(toObject(this.#config[name])['Items']).map(String);
  }
}
