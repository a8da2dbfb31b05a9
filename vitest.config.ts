import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Many short files that leave their process as it was: two processes run them all, and load what they import once. */
const SHARED = ['{cli,contract,core,handlers,infra}/**/*.test.ts'];

/** What has a process to itself goes first: that takes longest, and a shared process is kept only while its files follow each other. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isAlone = ({ project }: TestSpecification) => project.config.isolate;
    return [...sorted.filter(isAlone), ...sorted.filter((file) => !isAlone(file))];
  }
}

/** Two cores; most tests are short, some start servers, keys and the whole local cloud. */
export default defineConfig({
  test: {
    dir: 'test',
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 120_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'alone',
          include: ['**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...SHARED],
          globalSetup: ['test/support/assembly.ts'],
        },
      },
      { extends: true, test: { name: 'shared', include: SHARED, isolate: false } },
    ],
  },
});
