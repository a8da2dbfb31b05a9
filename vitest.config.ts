import { defineConfig } from 'vitest/config';

/** Two cores; most tests are short, some start servers, keys and the whole local cloud. */
export default defineConfig({
  test: {
    dir: 'test',
    include: ['**/*.test.ts'],
    globalSetup: ['test/support/assembly.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
