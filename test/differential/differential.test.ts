import { expect, test } from 'vitest';
import { compareWorld } from './compare.ts';
import { Production } from './production.ts';
import { shrink } from './shrink.ts';

const SEED = 5;
const WORLDS = 16;

test('the decision is what the documentation says, in worlds of chance', () => {
  const production = new Production();
  const tallies = Array.from({ length: WORLDS }, (_, world) => compareWorld(production, SEED, world));
  const [first] = tallies.flatMap(({ disagreements }) => disagreements);
  expect(first && shrink(production, first)).toBeUndefined();

  const sum = (of: 'pairs' | 'allowed') => tallies.reduce((total, tally) => total + tally[of], 0);
  expect(sum('pairs')).toBeGreaterThan(3_000 * WORLDS);
  expect(sum('allowed') / sum('pairs')).toBeGreaterThan(0.05);
}, 120_000);
