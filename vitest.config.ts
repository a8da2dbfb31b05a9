import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    dir: 'test',
    globalSetup: ['test/support/assembly.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // End-to-end files start a cloud each; more of them at once than cores only take turns.
    maxWorkers: 2,
  },
});
