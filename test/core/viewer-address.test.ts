import { expect, test } from 'vitest';
import { viewerAddress } from '../../functions/core/viewer-address.ts';

const EDGE = '130.176.0.9';

test.for<readonly [string, string | null, string | undefined]>([
  ['the viewer, then the edge', `203.0.113.7, ${EDGE}`, '203.0.113.7'],
  ['a viewer of IPv6', `2001:db8::7,${EDGE}`, '2001:db8::7'],
  ['what the viewer made up, the viewer, the edge', `1.1.1.1, ${EDGE}, 203.0.113.7, ${EDGE}`, '203.0.113.7'],
  ['the edge alone', EDGE, undefined],
  ['no edge at the end', '203.0.113.7', undefined],
  ['another edge at the end', `203.0.113.7, 130.176.0.10`, undefined],
  ['nothing before the edge', `, ${EDGE}`, undefined],
  ['nothing', '', undefined],
  ['no such header', null, undefined],
])('%s', ([, header, viewer]) => {
  expect(viewerAddress(header, EDGE)).toBe(viewer);
});
