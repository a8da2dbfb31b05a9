import { afterAll, beforeAll, expect, test } from 'vitest';
import { authorizeUrl, type LoginApp, startLoginApp } from '../support/login-app.ts';
import { ORIGIN } from '../support/test-issuer.ts';

let login: LoginApp;

beforeAll(async () => {
  login = await startLoginApp();
});
afterAll(() => login?.close());

const FORM = 'application/x-www-form-urlencoded';
const query = (changes = {}) => new URL(authorizeUrl(changes)).search.slice(1);

function post(body: string, type = FORM): Promise<Response> {
  return login.app.fetch('/oauth/authorize', {
    method: 'POST',
    headers: { 'content-type': type, 'sec-fetch-site': 'cross-site', origin: 'https://app.example.com' },
    body,
  });
}

test('a request in a form is led to the same request in a link, and ends as that does', async () => {
  const response = await post(query({ state: 'a+b&c=d' }));
  expect([response.status, response.headers.get('cache-control')]).toEqual([303, 'no-store']);
  expect(response.headers.getSetCookie()).toEqual([]);
  const location = response.headers.get('location') ?? '';
  expect(location.startsWith(`${ORIGIN}/oauth/authorize?`)).toBe(true);
  expect([...new URL(location).searchParams]).toEqual([...new URLSearchParams(query({ state: 'a+b&c=d' }))]);
  const page = await login.agent().open(location);
  expect([page.status, page.text]).toEqual([
    200,
    expect.stringMatching(/<form method="post" action="\/oauth\/consent"/),
  ]);
});

test('what is there twice stays so, to be refused as that', async () => {
  const response = await post(`${query()}&client_id=other`);
  const page = await login.agent().open(response.headers.get('location') ?? '');
  expect(page.status).toBe(400);
});

test.for<readonly [string, string, string, number]>([
  ['another media type', '{}', 'application/json', 400],
  ['a form of parts', query(), 'multipart/form-data; boundary=x', 400],
  ['more than a URL can carry', query({ state: 'x'.repeat(7_000) }), FORM, 413],
  ['more than is read', `state=${'x'.repeat(20_000)}`, FORM, 413],
])('%s ends on a page', async ([, body, type, status]) => {
  const response = await post(body, type);
  expect([response.status, response.headers.get('location')]).toEqual([status, null]);
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
});
