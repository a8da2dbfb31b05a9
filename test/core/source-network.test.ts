import { expect, test } from 'vitest';
import { networkOf } from '../../functions/core/source-network.ts';

test.for([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:0:1::10', '2001:db8:0:1::/64'],
  ['2001:DB8:0:1:ffff:ffff:ffff:ffff', '2001:db8:0:1::/64'],
  ['2001:db8:0:2::10', '2001:db8:0:2::/64'],
  ['::1', '0:0:0:0::/64'],
  ['', ''],
  ['elsewhere', 'elsewhere'],
] as const)('%s is counted as %s', ([address, network]) => {
  expect(networkOf(address)).toBe(network);
});
