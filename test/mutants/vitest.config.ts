import { basename } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** These are tried last: nearly every mutant falls to a table before, and laws take ten times as long. */
const WITH_LAWS = /\/(?:decide|prune)\.test\.ts$/;

class TablesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const ownTest = basename(process.env['SALLYPORT_MUTATED'] ?? '').replace(/\.ts$/, '.test.ts');
    const rank = ({ moduleId }: TestSpecification) => {
      if (moduleId.endsWith('/session.ts')) return 3;
      if (basename(moduleId) === ownTest) return 0;
      return WITH_LAWS.test(moduleId) ? 2 : 1;
    };
    return files.toSorted((one, other) => rank(one) - rank(other));
  }
}

/**
 * The tests that a mutant of what decides has to get past. They need no servers, and a mutant loads each module once for all of them, so
 * that thousands of mutants take minutes.
 */
export default defineConfig({
  test: {
    include: [
      'test/core/{caller,decide*,explain,hypothetical,issued-teams,item,may,permission,policy,prune}.test.ts',
      'test/core/{rate-limit,remedy,revocation-plan,role,run-access,standing,team*,user-grant}.test.ts',
      'test/core/visibility.test.ts',
      'test/core/rules/*.test.ts',
      'test/core/configuration/{rules,tenancy}.test.ts',
    ],
    globalSetup: ['test/support/made-keys.ts'],
    isolate: false,
    sequence: { sequencer: TablesFirst },
    testTimeout: 300_000,
  },
});
