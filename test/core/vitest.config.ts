import { defineConfig } from 'vitest/config';

/**
 * Every branch of the core, by its own tests alone: `npm run coverage` fails where one is never taken. Laws about time are left out,
 * because a line that is counted takes another time.
 */
export default defineConfig({
  test: {
    include: ['test/core/**/*.test.ts'],
    testNamePattern: /^(?!.*\btime in proportion\b)/,
    globalSetup: ['test/support/made-keys.ts'],
    isolate: false,
    pool: 'threads',
    maxWorkers: 2,
    testTimeout: 60_000,
    coverage: {
      enabled: true,
      provider: 'v8',
      include: ['functions/core/**/*.ts'],
      reportsDirectory: 'coverage/core',
      reporter: [['text', { skipFull: true }], 'json'],
      thresholds: { branches: 100 },
    },
  },
});
