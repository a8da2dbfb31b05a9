import { setTimeout as wait } from 'node:timers/promises';
import { createTokenSource, type TokenSourceOptions } from './token-source.ts';

/** What a service answered, or why it could not be asked; `message` is fit for a model to read. */
export type EgressAnswer =
  | { readonly ok: true; readonly body: unknown }
  | { readonly ok: false; readonly message: string };

/** Calls services through the gateway's `/egress`, which puts the credential on. */
export type EgressClient = {
  /** `path` begins after the service's name and is encoded; `delegation` is the identity token of the call served. */
  get(service: string, path: string, delegation: string, signal: AbortSignal): Promise<EgressAnswer>;
};

/** `retryDelayMs` is the pause between two tries, 1000 if not given. */
export type EgressClientOptions = TokenSourceOptions & { readonly retryDelayMs?: number };

const TRIES = 3;
const TIMEOUT_MS = 30_000;

/**
 * A client of the egress gateway: this server's own access token in `Authorization`, the caller's identity token in
 * `X-Delegation`, and no credential of the service, ever. Tries three times on 5xx and network failures, and once
 * more with a fresh token after a 401.
 */
export function createEgressClient(options: EgressClientOptions): EgressClient {
  const tokens = createTokenSource(options);
  const send = async (url: string, delegation: string, signal: AbortSignal) =>
    fetch(url, {
      headers: { authorization: `Bearer ${await tokens.get()}`, 'x-delegation': delegation },
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
  return {
    async get(service, path, delegation, signal) {
      const url = `${options.origin}/egress/${service}${path}`;
      let message = '';
      for (let attempt = 1; attempt <= TRIES && !signal.aborted; attempt += 1) {
        if (attempt > 1) await wait(options.retryDelayMs ?? 1000, undefined, { signal }).catch(() => {});
        try {
          let response = await send(url, delegation, signal);
          if (response.status === 401) {
            tokens.forget();
            response = await send(url, delegation, signal);
          }
          if (response.ok) return { ok: true, body: await response.json() };
          message = `${service} answered ${response.status}${await reasonOf(response)}`;
          if (response.status < 500) return { ok: false, message };
        } catch (error) {
          message = `${service} cannot be reached: ${error instanceof Error ? error.message : 'unknown failure'}`;
        }
      }
      return { ok: false, message };
    },
  };
}

/** The reason in a problem document (RFC 9457) or in the service's own JSON; nothing where it has another shape. */
async function reasonOf(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => undefined);
  if (typeof body !== 'object' || body === null) return '';
  const { detail, error, title } = { detail: undefined, error: undefined, title: undefined, ...body };
  const reason: unknown = detail ?? error ?? title;
  return typeof reason === 'string' ? `: ${reason}` : '';
}
