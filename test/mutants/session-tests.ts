import { relative } from 'node:path';
import { afterEach, beforeEach, type TestContext } from 'vitest';

/** A test that was run once, and may be run again. */
export type ReadyTest = {
  readonly id: string;
  readonly task: TestContext['task'];
  readonly tookMs: () => number;
};

/** What Stryker's instrumented code reads and writes (https://stryker-mutator.io, `__stryker__`). */
export type MutantSwitch = {
  activeMutant?: string | undefined;
  hitCount?: number;
  hitLimit?: number | undefined;
  currentTestId?: string | undefined;
  mutantCoverage?: { readonly perTest: Readonly<Record<string, Readonly<Record<string, number>>>> };
};

declare global {
  // Shared by the files of one worker, which each evaluate this module.
  var __stryker__: MutantSwitch | undefined;
  var sallyportReadyTests: Map<string, ReadyTest> | undefined;
}

beforeEach(({ task }) => {
  const names = [task.name];
  for (let { suite } = task; suite !== undefined; { suite } = suite) names.unshift(suite.name);
  // The names that Stryker's own runner gives.
  const id = `${relative(process.cwd(), task.file.filepath)}#${names.join(' > ').trim()}`;
  globalThis.sallyportReadyTests ??= new Map();
  globalThis.sallyportReadyTests.set(id, { id, task, tookMs: () => task.result?.duration ?? 0 });
  globalThis.__stryker__ ??= {};
  globalThis.__stryker__.currentTestId = id;
});

afterEach(() => {
  if (globalThis.__stryker__ !== undefined) globalThis.__stryker__.currentTestId = undefined;
});
