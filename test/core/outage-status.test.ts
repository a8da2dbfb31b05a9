import { expect, test } from 'vitest';
import { isOutageStatus } from '../../functions/core/outage-status.ts';

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
