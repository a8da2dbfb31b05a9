import { describe, expect, test } from 'vitest';
import {
  audiencesOf,
  isContextRoute,
  metadataUrlOf,
  NAME,
  parseRoute,
  resourceOf,
} from '../../functions/core/route.ts';
import { ORIGIN } from '../support/test-issuer.ts';

describe('a path', () => {
  test.for([
    ['/maps/mcp', 'mcp', [`${ORIGIN}/maps/mcp`, ORIGIN], false],
    ['/context-store/mcp', 'mcp', [`${ORIGIN}/context-store/mcp`, ORIGIN], true],
    ['/context/documents', 'context', [`${ORIGIN}/context-store/mcp`, ORIGIN], true],
    ['/context/documents/doc_1/metadata', 'context', [`${ORIGIN}/context-store/mcp`, ORIGIN], true],
    ['/egress/api/v1', 'egress', [ORIGIN], false],
    ['/egress/api/mcp', 'egress', [ORIGIN], false],
    ['/me', 'gateway', [ORIGIN], false],
    ['/servers/maps', 'gateway', [ORIGIN], false],
    ['/admin/policy', 'gateway', [ORIGIN], false],
    ['/', 'gateway', [ORIGIN], false],
    ['', 'gateway', [ORIGIN], false],
    ['/mcp', 'gateway', [ORIGIN], false],
    ['/maps/mcpx', 'gateway', [ORIGIN], false],
    ['/maps/mcp/', 'gateway', [ORIGIN], false],
    ['/maps/mcp/x', 'gateway', [ORIGIN], false],
    ['/maps/MCP', 'gateway', [ORIGIN], false],
    ['/maps//mcp', 'gateway', [ORIGIN], false],
    ['//mcp', 'gateway', [ORIGIN], false],
    ['/x/maps/mcp', 'gateway', [ORIGIN], false],
    ['/contextx/documents', 'gateway', [ORIGIN], false],
    ['/context', 'gateway', [ORIGIN], false],
    ['/CONTEXT/documents', 'gateway', [ORIGIN], false],
    ['/egress', 'gateway', [ORIGIN], false],
  ] as const)('%s is %s', ([path, kind, audiences, isContext]) => {
    const route = parseRoute(path);
    expect(route.kind).toBe(kind);
    expect(audiencesOf(route, ORIGIN)).toEqual(audiences);
    expect(isContextRoute(route)).toBe(isContext);
  });

  test('is not decoded: another spelling is another server, which has no such name', () => {
    for (const path of ['/%6Daps/mcp', '/Maps/mcp', '/maps;v=1/mcp', '/maps%2f/mcp', '/ma ps/mcp']) {
      const route = parseRoute(path);
      expect(route.kind === 'mcp' && NAME.test(route.server)).toBe(false);
      expect(audiencesOf(route, ORIGIN)).not.toContain(`${ORIGIN}/maps/mcp`);
    }
  });
});

test('a name is 63 characters of a small alphabet at most', () => {
  for (const name of ['a', '0', 'maps-2', 'a_b', 'a'.repeat(63)]) expect(NAME.test(name)).toBe(true);
  for (const name of ['', '-a', '_a', 'A', 'a.b', 'a b', 'a\n', '*', 'é', 'a/b', 'a'.repeat(64)]) {
    expect(NAME.test(name)).toBe(false);
  }
});

test('the resource and its metadata differ by the well-known segment alone', () => {
  expect(resourceOf('maps', ORIGIN)).toBe('https://gate.example.com/maps/mcp');
  expect(metadataUrlOf('maps', ORIGIN)).toBe(
    'https://gate.example.com/.well-known/oauth-protected-resource/maps/mcp',
  );
});
