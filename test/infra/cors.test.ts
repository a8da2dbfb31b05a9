import { expect, test } from 'vitest';
import { ALLOWED_HEADERS, ALLOWED_METHODS, EXPOSED_HEADERS } from '../../infra/cors.ts';
import { ROUTES } from '../../infra/routes.ts';

test('a page may use every method that a route names', () => {
  const named = ROUTES.flatMap(({ methods }) => methods).filter((method) => method !== 'ANY');
  expect(ALLOWED_METHODS).toEqual(expect.arrayContaining(named));
});

test('a page may send what authenticates it and what either era of MCP asks for, each by its name', () => {
  expect(ALLOWED_HEADERS).toEqual(
    expect.arrayContaining([
      'Authorization',
      'X-Authorization',
      'Content-Type',
      'Accept',
      'Mcp-Protocol-Version',
      'Mcp-Method',
      'Mcp-Name',
      'Mcp-Session-Id',
      'Last-Event-ID',
    ]),
  );
  expect(ALLOWED_HEADERS).not.toContain('*');
});

test('a page may read three headers, and no more', () => {
  expect(EXPOSED_HEADERS).toEqual(['Mcp-Session-Id', 'WWW-Authenticate', 'X-Request-Id']);
});
