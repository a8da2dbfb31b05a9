import { expect, test } from 'vitest';
import { parseJsonText } from '../../functions/core/json.ts';
import { isOutageStatus, isRateLimit } from '../../functions/core/outage-status.ts';

test.for([
  [200, false],
  [302, false],
  [400, false],
  [401, false],
  [403, false],
  [408, true],
  [425, false],
  [429, true],
  [499, false],
  [500, true],
  [503, true],
] as const)('status %i may go better in a moment: %s', ([status, expected]) => {
  expect(isOutageStatus(status)).toBe(expected);
});

test.for([
  [403, {}, {}, false],
  [403, {}, { message: 'Resource not accessible by integration' }, false],
  [403, { 'x-ratelimit-remaining': '14' }, { error: { message: 'Forbidden' } }, false],
  [403, {}, { error: 'access_denied' }, false],
  [403, {}, [], false],
  [403, { 'x-ratelimit-remaining': '0' }, {}, true],
  [403, { 'retry-after': '60' }, [], true],
  [403, {}, { message: 'API rate limit exceeded for user ID 1.' }, true],
  [403, {}, { error: { message: 'Daily Limit Exceeded' } }, true],
  [403, {}, { error: { message: "Quota exceeded for quota metric 'Queries'" } }, true],
  [401, { 'retry-after': '60' }, {}, false],
  [200, { 'x-ratelimit-remaining': '0' }, {}, false],
] as const)('%i with %j and %j is a rate limit: %s', ([status, headers, body, expected]) => {
  const parsed = parseJsonText(JSON.stringify(body));
  if (!parsed.ok) throw new Error(parsed.error.detail);
  expect(isRateLimit(status, new Map(Object.entries(headers)), parsed.value)).toBe(expected);
});
