import { type Env, Hono } from 'hono';
import type { Invocation } from '../core/invocation.ts';
import { allowOrigin } from './cors.ts';
import { problem } from './problem.ts';

/** The environment of every app of ours: what the invocation tells. */
export type AppEnv = Env & { Bindings: Invocation };

/**
 * An app that answers what it does not know with 404, and a bug with 500 and the request id; the bug's own words go to the log.
 * Pages of `allowedOrigins` may read every answer, errors included; of none where nothing is said.
 */
export function createApp<E extends AppEnv>(
  log: (entry: Readonly<Record<string, unknown>>) => void,
  allowedOrigins: readonly string[] = [],
): Hono<E> {
  const app = new Hono<E>();
  app.use(async (c, next) => {
    await next();
    allowOrigin(c, allowedOrigins);
  });
  app.notFound((c) => problem('not_found', 'there is nothing here', c.env.requestId));
  app.onError((error, c) => {
    const { requestId } = c.env;
    log({ level: 'error', event: 'bug', request_id: requestId, detail: String(error.stack ?? error) });
    return problem('internal', 'an unexpected fault; give the request id to an operator', requestId);
  });
  return app;
}
