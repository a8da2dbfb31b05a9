import { defineConfig, mergeConfig } from 'vitest/config';
import tests from './vitest.config.ts';

/** The same tests, and after them the one that holds them ready and tries mutant after mutant. */
export default mergeConfig(
  tests,
  defineConfig({
    test: { include: ['test/mutants/session.ts'], setupFiles: ['test/mutants/session-tests.ts'] },
  }),
);
