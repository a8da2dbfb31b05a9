import { defineConfig } from 'vitest/config';

/** The tests that a mutant of what decides has to get past. They need no servers, so that a thousand mutants take minutes. */
export default defineConfig({
  test: {
    include: [
      'test/core/{caller,decide*,item,may,permission,policy,prune,role,run-access,standing,team*,visibility}.test.ts',
      'test/core/rules/*.test.ts',
      'test/core/configuration/rules.test.ts',
    ],
    testTimeout: 30_000,
  },
});
