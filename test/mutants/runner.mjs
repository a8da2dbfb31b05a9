import { commonTokens, declareFactoryPlugin, PluginKind, tokens } from '@stryker-mutator/api/plugin';
import { strykerPlugins as vitestPlugins } from '@stryker-mutator/vitest-runner';
import { createVitest } from 'vitest/node';

/**
 * Stryker's runner for Vitest, with a short way to a kill: all tests are loaded once and stay ready in one worker, where a mutant costs the
 * milliseconds of the tests that reach it instead of the seconds of a run. A kill counts if the same test passes at once without the
 * mutant; otherwise, and where a mutant that may act while modules are loaded is not killed so, Stryker's own runner judges it.
 */
class ReadyTestsRunner {
  #plain;
  #session;

  constructor(plain) {
    this.#plain = plain;
  }

  capabilities() {
    return this.#plain.capabilities();
  }

  /** No mutant's time is spent on this. */
  async init() {
    await this.#plain.init();
    this.#session = await Session.start();
  }

  dryRun(options) {
    return this.#plain.dryRun(options);
  }

  async mutantRun(options) {
    this.#session ??= await Session.start();
    const { activeMutant, testFilter, hitLimit, sandboxFileName } = options;
    const outcome = await this.#session.ask({ mutant: activeMutant.id, tests: testFilter, hitLimit });
    if (outcome.fault !== undefined) throw new Error(outcome.fault);
    if (outcome.killedBy !== undefined)
      return {
        status: 'killed',
        killedBy: [outcome.killedBy],
        failureMessage: outcome.message,
        nrOfTests: 1,
      };
    if (outcome.isStale) {
      const stale = this.#session;
      this.#session = undefined;
      await stale.end();
    } else if (options.mutantActivation === 'runtime') {
      return { status: 'survived', nrOfTests: testFilter.length };
    }
    // Read by the order of the test files.
    process.env.SALLYPORT_MUTATED = sandboxFileName;
    return this.#plain.mutantRun(options);
  }

  async dispose() {
    await this.#session?.end();
    await this.#plain.dispose();
  }
}

class Session {
  #channel = new BroadcastChannel('mutants');
  #vitest;
  #run;

  static async start() {
    const session = new Session();
    session.#vitest = await createVitest('test', {
      config: 'test/mutants/session.config.ts',
      watch: false,
      pool: 'threads',
      maxWorkers: 1,
      coverage: { enabled: false },
      reporters: [{}],
    });
    const isReady = session.#next();
    session.#run = session.#vitest.start();
    await Promise.race([
      isReady,
      session.#run.then(() => Promise.reject(new Error('the session of tests ended'))),
    ]);
    return session;
  }

  async ask(trial) {
    const answer = this.#next();
    this.#channel.postMessage({ trial });
    return (await answer).outcome;
  }

  async end() {
    this.#channel.postMessage({ end: true });
    await this.#run;
    this.#channel.close();
    await this.#vitest.close();
  }

  #next() {
    return new Promise((resolve) => {
      this.#channel.onmessage = ({ data }) => resolve(data);
    });
  }
}

createReadyTestsRunner.inject = tokens(commonTokens.injector);
function createReadyTestsRunner(injector) {
  return new ReadyTestsRunner(injector.injectFunction(vitestPlugins[0].factory));
}

export const strykerPlugins = [
  declareFactoryPlugin(PluginKind.TestRunner, 'ready-tests', createReadyTestsRunner),
];
