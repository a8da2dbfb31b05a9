import { describe, expect, test } from 'vitest';
import type { Invocation } from '../../functions/core/invocation.ts';
import { createApp } from '../../functions/handlers/app.ts';
import { EXPOSED_HEADERS } from '../../infra/cors.ts';
import { invocationOf } from '../support/invocation.ts';

const LISTED = 'https://app.example.com';
const OTHER = 'https://other.example.com';
const INVOCATION: Invocation = invocationOf({ origin: 'https://gate.example.com' });

/** What an app of ours answers on `path` to a page of `origin`. */
async function answerTo(path: string, origin: string | undefined, allowedOrigins?: readonly string[]) {
  const app = createApp(() => {}, allowedOrigins);
  app.get('/fine', (c) => c.text('fine'));
  app.get('/empty', () => new Response(null, { status: 204 }));
  app.get('/broken', () => {
    throw new Error('a bug');
  });
  app.get('/varied', () => new Response('x', { headers: { vary: 'Accept' } }));
  const headers = origin === undefined ? {} : { origin };
  return app.fetch(new Request(`https://gate.example.com${path}`, { headers }), INVOCATION);
}

const PATHS = [
  ['/fine', 200],
  ['/empty', 204],
  ['/nothing', 404],
  ['/broken', 500],
] as const;

describe.each(PATHS)('the answer on %s', (path, status) => {
  test('can be read by a page of a listed origin', async () => {
    const { headers, status: given } = await answerTo(path, LISTED, [OTHER, LISTED]);
    expect(given).toBe(status);
    expect(headers.get('access-control-allow-origin')).toBe(LISTED);
    expect(headers.get('access-control-expose-headers')?.split(',')).toEqual(EXPOSED_HEADERS);
    expect(headers.get('vary')).toBe('Origin');
    expect(headers.has('access-control-allow-credentials')).toBe(false);
  });

  test.for([undefined, 'null', OTHER, `${LISTED}.evil.example`, LISTED.toUpperCase(), `${LISTED}, ${OTHER}`])(
    'by no page of %j',
    async (origin) => {
      const { headers, status: given } = await answerTo(path, origin, [LISTED]);
      expect(given).toBe(status);
      expect(headers.has('access-control-allow-origin')).toBe(false);
      expect(headers.get('vary')).toBe('Origin');
    },
  );

  test('says nothing of origins where none is listed', async () => {
    for (const allowed of [undefined, []]) {
      const { headers } = await answerTo(path, LISTED, allowed);
      expect([headers.has('access-control-allow-origin'), headers.has('vary')]).toEqual([false, false]);
    }
  });
});

test('what differed by something else already still does', async () => {
  const { headers } = await answerTo('/varied', LISTED, [LISTED]);
  expect(headers.get('vary')).toBe('Accept, Origin');
});
