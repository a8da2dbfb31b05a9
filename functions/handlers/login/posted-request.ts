import type { Invocation } from '../../core/invocation.ts';
import type { IssuerPorts } from '../issuer-ports.ts';
import { endHere, sendOn } from './answer.ts';

/** API Gateway takes 10,240 bytes of request line and headers together, cookies among them. */
const MAX_QUERY_CHARACTERS = 6_000;

/**
 * `POST /oauth/authorize` (OpenID Connect Core §3.1.2.1): the same request in a form. The browser is led to it as a GET: a form of another
 * site brings no cookie of ours along, and one way to judge a request is enough. Nothing is judged or repaired here.
 */
export async function authorizePosted(
  ports: IssuerPorts,
  request: Request,
  invocation: Invocation,
): Promise<Response> {
  const [type = ''] = (request.headers.get('content-type') ?? '').split(';');
  const isForm = type.trim().toLowerCase() === 'application/x-www-form-urlencoded';
  if (!isForm) return endHere(ports, invocation, 'bad_request');
  const query = new URLSearchParams(await request.text()).toString();
  if (query.length > MAX_QUERY_CHARACTERS) return endHere(ports, invocation, 'too_large');
  return sendOn(`${invocation.origin}/oauth/authorize?${query}`);
}
