import { expect, test } from 'vitest';
import { passes, runClientScenario } from './suite.ts';

/**
 * The scenarios for clients that the command line can be told to go through. Those of `auth/` are about a client that finds an authorization
 * server by itself: the command line logs in at its own gate, whose address it is given, and takes every other token from a file.
 */
const SCENARIOS = [
  ['initialize', ['mcp', 'list', '--legacy', '--url']],
  ['tools_call', ['mcp', 'call', 'add_numbers', '{"a":5,"b":3}', '--url']],
  ['request-metadata', ['mcp', 'list', '--modern', '--url']],
  ['http-standard-headers', ['mcp', 'list', '--modern', '--url']],
  ['json-schema-ref-no-deref', ['mcp', 'list', '--url']],
] as const;

test.for(SCENARIOS)(
  'the command line passes the public suite for clients: %s',
  { timeout: 120_000 },
  async ([scenario, words], { signal }) => {
    const checks = await runClientScenario(scenario, words, signal);
    expect(checks.filter(({ status }) => status === 'FAILURE')).toEqual([]);
    expect(passes(checks)).toBe(true);
  },
);
