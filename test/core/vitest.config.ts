import { defineConfig } from 'vitest/config';

/** Of these some branches are reached through handlers and the local cloud alone. What leaves this list is whole; nothing new comes on it. */
const REACHED_FROM_OUTSIDE: readonly string[] = [
  'audit/verify',
  'base64-trace',
  'documents/edit',
  'documents/parts',
  'documents/terms',
  'redact',
];

/**
 * Every branch of what decides, by its own tests alone: `npm run coverage` fails where one is never taken. Laws about time are left out,
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
      exclude: REACHED_FROM_OUTSIDE.map((name) => `functions/core/${name}.ts`),
      reportsDirectory: 'coverage/core',
      reporter: [['text', { skipFull: true }], 'json'],
      thresholds: { branches: 100 },
    },
  },
});
