import { charsetOf, mediaTypeOf } from '../core/forward.ts';
import { ANSWER_JSON, parseJson, stringMember } from '../core/json.ts';
import type { UpstreamResponse } from '../core/ports.ts';
import { discard, readStream } from './body.ts';

/** An error is a few words; more than this is none of the protocol's. */
const MAX_ERROR_BYTES = 65_536;

/**
 * The answer of a server behind, where it speaks MCP: an event stream, JSON, and for an error status JSON-RPC, which is read
 * whole. Undefined, and its body ended, where it is something else, such as an error page or a stack trace: that is for the
 * operator of that server, and no client of the protocol reads it.
 */
export async function readMcpAnswer(response: UpstreamResponse): Promise<UpstreamResponse | undefined> {
  const contentType = response.headers.get('content-type');
  const charset = charsetOf(contentType) ?? 'utf-8';
  // The protocol is UTF-8; of anything else two readers see two texts.
  const mediaType = charset === 'utf-8' || charset === 'utf8' ? mediaTypeOf(contentType) : undefined;
  const isError = response.status >= 400;
  if (mediaType === 'text/event-stream' || (mediaType === 'application/json' && !isError)) return response;
  if (mediaType === 'application/json') {
    const bytes = await readStream(response.body, MAX_ERROR_BYTES).catch(() => undefined);
    const parsed = bytes === undefined ? undefined : parseJson(bytes, ANSWER_JSON);
    if (bytes === undefined || !parsed?.ok) return undefined;
    const isRpc = stringMember(parsed.value, 'jsonrpc') === '2.0';
    return isRpc ? { ...response, body: new Blob([Buffer.from(bytes)]).stream() } : undefined;
  }
  await discard(response.body);
  return undefined;
}
