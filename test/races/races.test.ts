import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRaces, type Races } from './campaign.ts';
import { KINDS } from './kinds.ts';

/** Of each kind, 750 attempts; `npm run races` does ten thousand rounds. */
const ROUNDS = 15;

describe('of fifty attempts at once, from four processes, exactly one succeeds', () => {
  let races: Races;
  beforeAll(async () => {
    races = await openRaces();
  });
  afterAll(() => races?.close());

  test.for(KINDS)('$name', { timeout: 120_000 }, async (kind) => {
    const { rounds, broken, inconclusive } = await races.run(kind, ROUNDS);
    expect({ rounds, broken }).toEqual({ rounds: ROUNDS, broken: [] });
    expect(inconclusive).toBeLessThan(ROUNDS / 5);
  });
});

describe('with a store that believes every writer, more than one succeeds', () => {
  let races: Races;
  beforeAll(async () => {
    races = await openRaces(true);
  });
  afterAll(() => races?.close());

  test.for(KINDS)('$name', async (kind) => {
    const { broken } = await races.run(kind, 2);
    expect(Math.max(0, ...broken)).toBeGreaterThan(1);
  });
});
