import { err, ok, type Result } from '../functions/core/result.ts';
import { readToken } from './access-token.ts';
import { noAnswer, parseJson, refusalOf } from './http.ts';
import { readOrigin } from './origin.ts';
import { type Failure, failed, misused } from './outcome.ts';
import type { Terminal } from './terminal.ts';
import type { Arguments } from './verb.ts';

/** One request to the context store, under the namespace that the command line names. */
export type ContextRequest = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From `/documents` on; whatever is put into it is encoded already. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | FormData | Uint8Array<ArrayBuffer>;
};

/** The context store behind the gateway, for one token. */
export type ContextDoor = {
  /** The answer to a request that was granted; any other is a failure in the gateway's words. */
  ask(request: ContextRequest): Promise<Result<Response, Failure>>;
  /** The same with JSON both ways. */
  askJson(request: ContextRequest): Promise<Result<Readonly<Record<string, unknown>>, Failure>>;
};

/** A page of an export, or an import, is under way for so long at most. */
const TIMEOUT_MS = 120_000;

/** Opens the context store with the token that the command line or the environment gives. */
export async function openContext(
  input: Arguments,
  terminal: Terminal,
): Promise<Result<ContextDoor, Failure>> {
  const origin = readOrigin(input.text('origin'), terminal.env);
  if (!origin.ok) return origin;
  const token = await readToken(input, terminal, origin.value, {
    scope: input.text('scope'),
    resource: `${origin.value}/context-store/mcp`,
  });
  if (!token.ok) return token;
  if (token.value === undefined) {
    return err(misused('a token is missing: `--token-file FILE`, `--client ID`, or SALLYPORT_TOKEN'));
  }
  const namespace = input.text('namespace');
  const named = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  const base = `${origin.value}/context${named}`;
  const authorization = `Bearer ${token.value}`;
  const ask: ContextDoor['ask'] = async ({ method = 'GET', path, headers = {}, body = null }) => {
    const url = `${base}${path}`;
    try {
      const response = await fetch(url, {
        method,
        headers: { ...headers, authorization },
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (response.ok) return ok(response);
      return err(refusalOf({ status: response.status, body: parseJson(await response.text()) }));
    } catch (error) {
      return err(noAnswer(url, error));
    }
  };
  return ok({
    ask,
    async askJson(request) {
      const answer = await ask(request);
      if (!answer.ok) return answer;
      const text = await readText(answer.value);
      if (!text.ok) return text;
      const body: unknown = parseJson(text.value);
      return isRecord(body) ? ok(body) : err(failed('the gateway’s answer is not one JSON object'));
    },
  });
}

/** The text of an answer; one that is cut short is a failure. */
export async function readText(response: Response): Promise<Result<string, Failure>> {
  try {
    return ok(await response.text());
  } catch (error) {
    return err(noAnswer(response.url, error));
  }
}

/** Is this a JSON object? */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
