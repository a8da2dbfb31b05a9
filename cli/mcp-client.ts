import type { Client } from '@modelcontextprotocol/client';
import { err, ok, type Result } from '../functions/core/result.ts';
import { parseJson, refusalOf } from './http.ts';
import { type Failure, failed, isNetworkFailure, reasonOf, unreachable } from './outcome.ts';

/** `auto` asks for 2026-07-28 and falls back to `initialize`. */
export type Era = 'auto' | 'legacy' | 'modern';

/** Where to connect, as whom, and in which protocol era. */
export type McpTarget = { readonly url: string; readonly token: string | undefined; readonly era: Era };

const MODERN = '2026-07-28';

/** Connects the official client. The SDK is loaded here, so that no other verb waits for it. */
export async function connectMcp({ url, token, era }: McpTarget): Promise<Result<Client, Failure>> {
  const sdk = await import('@modelcontextprotocol/client');
  const mode = era === 'modern' ? { pin: MODERN } : era;
  const client = new sdk.Client({ name: 'sallyport-cli', version: '1' }, { versionNegotiation: { mode } });
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return attempt(async () => {
    await client.connect(new sdk.StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
    return client;
  });
}

/** Runs one exchange; what the SDK throws becomes a failure in words: a denial, a protocol error, or nobody there. */
export async function attempt<T>(exchange: () => Promise<T>): Promise<Result<T, Failure>> {
  try {
    return ok(await exchange());
  } catch (error) {
    const { ProtocolError, SdkHttpError } = await import('@modelcontextprotocol/client');
    if (ProtocolError.isInstance(error)) {
      const { code, message, data } = error;
      return err(failed(`${message} (${code})`, { json: { code, data } }));
    }
    if (SdkHttpError.isInstance(error)) {
      const { status, data } = error;
      const body = typeof data['text'] === 'string' ? parseJson(data['text']) : undefined;
      const meaning = `${status} ${meaningOf(status)}`;
      if (typeof body !== 'object' || body === null) return err(failed(meaning, { json: { status } }));
      const refusal = refusalOf({ status, body });
      return err({ ...refusal, message: meaning, details: [refusal.message] });
    }
    const reason = reasonOf(error);
    return err(isNetworkFailure(error) ? unreachable(`cannot reach the server: ${reason}`) : failed(reason));
  }
}

function meaningOf(status: number): string {
  if (status === 401) return 'the token is missing, expired, or not for this server';
  if (status === 403) return 'this token may not do that';
  if (status === 404) return 'there is no such server, or not for this token';
  if (status === 429) return 'too many requests; wait and try again';
  return status >= 500 ? 'the server behind the gateway failed' : 'the request was refused';
}
