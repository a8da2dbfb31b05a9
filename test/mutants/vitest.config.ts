import { defineConfig } from 'vitest/config';

/**
 * The tests that a mutant of what decides has to get past. They need no servers, so that a thousand mutants take minutes; those that
 * compare how work grows with its input are left out, because every mutant would pay for them.
 */
export default defineConfig({
  test: {
    include: ['test/core/**/*.test.ts'],
    exclude: ['test/core/{sse,redact,path-pattern}.test.ts', '**/node_modules/**'],
    testTimeout: 30_000,
  },
});
