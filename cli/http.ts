import { z } from 'zod';
import { err, ok, type Result } from '../functions/core/result.ts';
import { isLoopback } from './origin.ts';
import { type Failure, failed, reasonOf, unreachable } from './outcome.ts';

/** An answer of the gateway; `body` is its JSON, or undefined where it is none. */
export type Answer = { readonly status: number; readonly body: unknown };

/** RFC 6749 §5.2 and RFC 9457 members, all of them optional in what arrives. */
const Refusal = z.object({
  error: z.string().optional(),
  error_description: z.string().optional(),
  title: z.string().optional(),
  detail: z.string().optional(),
  request_id: z.string().optional(),
});

const TIMEOUT_MS = 30_000;

/** Sends one request. An answer is a success whatever its status; a redirect is never followed with a credential. */
export async function send(url: string, init: RequestInit): Promise<Result<Answer, Failure>> {
  try {
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    return ok({ status: response.status, body: parseJson(text) });
  } catch (error) {
    return err(noAnswer(url, error));
  }
}

/** Nobody answered at this URL. */
export function noAnswer(url: string, error: unknown): Failure {
  const { origin, protocol } = new URL(url);
  const hint = isLoopback(new URL(url)) && protocol === 'http:' ? '; is `sallyport dev` running?' : '';
  return unreachable(`cannot reach ${origin}: ${reasonOf(error)}${hint}`);
}

/** The failure that an answer with an error status stands for, in the words of the gateway. */
export function refusalOf({ status, body }: Answer): Failure {
  const parsed = Refusal.safeParse(body);
  const { error, error_description, title, detail, request_id } = parsed.success ? parsed.data : {};
  const reason = [error ?? title, error_description ?? detail].filter((part) => part !== undefined);
  const words = reason.length === 0 ? 'no reason given' : reason.join(': ');
  const trace = request_id === undefined ? '' : ` (request ${request_id})`;
  const json = typeof body === 'object' && body !== null ? { ...body } : {};
  return failed(`${status} ${words}${trace}`, { json: { ...json, status } });
}

/** The value of a JSON text, or undefined. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
