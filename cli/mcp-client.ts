import type { Client } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { err, ok, type Result } from '../functions/core/result.ts';
import { noAnswer, parseJson, refusalOf } from './http.ts';
import { isLoopback } from './origin.ts';
import { type Failure, failed, isNetworkFailure, reasonOf } from './outcome.ts';

/** `auto` asks for 2026-07-28 and falls back to `initialize`. */
export type Era = 'auto' | 'legacy' | 'modern';

/** Where to connect, as whom, and in which protocol era. */
export type McpTarget = { readonly url: string; readonly token: string | undefined; readonly era: Era };

const MODERN = '2026-07-28';

/** An error of JSON-RPC as the gateway answers it. */
const RpcError = z.object({
  error: z.object({
    code: z.number(),
    message: z.string(),
    data: z.looseObject({ request_id: z.string().optional() }).optional(),
  }),
});

/** Connects the official client. The SDK is loaded here, so that no other verb waits for it. */
export async function connectMcp({ url, token, era }: McpTarget): Promise<Result<Client, Failure>> {
  const sdk = await import('@modelcontextprotocol/client');
  const mode = era === 'modern' ? { pin: MODERN } : era;
  const client = new sdk.Client({ name: 'sallyport-cli', version: '1' }, { versionNegotiation: { mode } });
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return attempt(url, async () => {
    await client.connect(new sdk.StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
    return client;
  });
}

/** Runs one exchange with what is at `url`; what the SDK throws becomes a failure in words: a denial, a protocol error, or nobody there. */
export async function attempt<T>(url: string, exchange: () => Promise<T>): Promise<Result<T, Failure>> {
  try {
    return ok(await exchange());
  } catch (error) {
    const { InsufficientScopeError, ProtocolError, SdkHttpError } = await import(
      '@modelcontextprotocol/client'
    );
    if (ProtocolError.isInstance(error)) {
      const { code, message, data } = error;
      return err(failed(`${message} (${code})`, { json: { code, data } }));
    }
    if (InsufficientScopeError.isInstance(error)) {
      const { requiredScope } = error;
      const needs =
        requiredScope === undefined ? 'a scope that this client may not have' : `\`${requiredScope}\``;
      const json = { status: 403, ...(requiredScope === undefined ? {} : { scope: requiredScope }) };
      return err(
        failed(`403 the token does not have the scope that ${url} needs for this: ${needs}`, { json }),
      );
    }
    if (SdkHttpError.isInstance(error)) {
      const { status, data } = error;
      const body = typeof data['text'] === 'string' ? parseJson(data['text']) : undefined;
      const meaning = `${status} ${meaningOf(status)}`;
      if (typeof body !== 'object' || body === null) return err(failed(meaning, { json: { status } }));
      const rpc = RpcError.safeParse(body);
      if (rpc.success)
        return err(
          failed(`${meaning}: ${rpc.data.error.message}${traceOf(url, rpc.data)}`, {
            json: { status, ...rpc.data.error },
          }),
        );
      const refusal = refusalOf({ status, body });
      return err({ ...refusal, message: meaning, details: [refusal.message] });
    }
    const reason = reasonOf(error);
    return err(isNetworkFailure(error) ? noAnswer(url, error) : failed(reason));
  }
}

/** Where an operator looks: the request, and on this machine the log. */
function traceOf(url: string, { error }: z.infer<typeof RpcError>): string {
  const requestId = error.data?.request_id;
  if (requestId === undefined) return '';
  const place = isLoopback(new URL(url)) ? '; see gateway.log in the `logs` of the data directory' : '';
  return ` (request ${requestId}${place})`;
}

function meaningOf(status: number): string {
  if (status === 401) return 'the token is missing, expired, or not for this server';
  if (status === 403) return 'this token may not do that';
  if (status === 404) return 'there is no such server, or not for this token';
  if (status === 429) return 'too many requests; wait and try again';
  return status >= 500 ? 'the server behind the gateway failed' : 'the request was refused';
}
