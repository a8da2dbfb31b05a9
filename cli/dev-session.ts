import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { err, ok, type Result } from '../functions/core/result.ts';
import type { Disconnects } from '../local/api-gateway/lambda-integration.ts';
import type { startLocalCloud } from '../local/cloud.ts';
import type { isDataDirectoryInUse } from '../local/data-directory.ts';
import type { Demo, startDemo } from '../local/demo/index.ts';
import type { synthesize } from '../local/synthesize.ts';
import { configurationRefusal, configurationWarnings, readConfiguration } from './config-directory.ts';
import { byKey, readSeeds, type SeedOptions } from './dev-seeds.ts';
import { EXIT, type Failure, failed, type Output } from './outcome.ts';
import { findTakenPort } from './port.ts';
import { type Ready, toReadyJson, toReadyText } from './ready.ts';
import type { Terminal } from './terminal.ts';

/** What `sallyport dev` was asked to do. `isDemo`: the shipped configuration, with the demo servers and their secrets. */
export type DevOptions = SeedOptions & {
  readonly port: number;
  /** Browser origins that may call, separated by commas. */
  readonly allowedOrigins: string;
  /** Does a client that leaves end its call, or is it left to its bounds as on AWS? */
  readonly disconnects: Disconnects;
  readonly isJson: boolean;
};

/** The parts that a session starts. */
export type LocalParts = {
  readonly isDataDirectoryInUse: typeof isDataDirectoryInUse;
  readonly synthesize: typeof synthesize;
  readonly startLocalCloud: typeof startLocalCloud;
  readonly startDemo: typeof startDemo;
};

type Closer = () => Promise<void>;

const Applied = z.object({ ok: z.literal(true), version: z.number() });
const Setup = z.object({ problems: z.array(z.string()) });
const DEMO_PORTS = { fininfo: 8790, weather: 8791, polygon: 8792, company: 8793, carrier: 8794 };
const FREE_PORTS = { fininfo: 0, weather: 0, polygon: 0, company: 0, carrier: 0 };
/** Switches on what trusts the demo's own company and carrier, which no deployment must. */
const DEMO_VARIABLES = {
  DEMO_LOGIN: 'true',
  DEMO_CARRIER_CLIENT: 'sallyport',
  DEMO_CARRIER_EGRESS: 'user_oauth',
};
const CLOSE_TIMEOUT_MS = 10_000;

/**
 * Runs the local cloud until SIGINT or SIGTERM. What can be wrong with the command line, the files and the ports is
 * found before anything is built. Whatever was started is closed when it returns, also after a failure.
 */
export async function runDev(
  options: DevOptions,
  parts: LocalParts,
  terminal: Terminal,
): Promise<Result<Output, Failure>> {
  const stop = terminal.untilStopped();
  const closers: Closer[] = [];
  try {
    const ready = await start(options, parts, terminal, stop, closers);
    if (!ready.ok) return ready;
    terminal.print(options.isJson ? JSON.stringify(toReadyJson(ready.value)) : toReadyText(ready.value));
    if (!stop.aborted) await once(stop, 'abort');
    terminal.note('stopping');
    return ok({ text: '', json: undefined });
  } finally {
    for (const close of closers.reverse()) {
      await Promise.race([close(), wait(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    }
  }
}

async function start(
  options: DevOptions,
  parts: LocalParts,
  terminal: Terminal,
  stop: AbortSignal,
  closers: Closer[],
): Promise<Result<Ready, Failure>> {
  const { configDirectory, isDemo, dataDirectory, port, stage, allowedOrigins, disconnects } = options;
  // The demo's own addresses are known only when it runs; everything else in its configuration is known to be right.
  const early = await readConfiguration(configDirectory, terminal.env);
  if (!early.ok) return early;
  const seeds = await readSeeds(options, terminal.env);
  if (!seeds.ok) return seeds;
  const demoPorts = port === 0 ? FREE_PORTS : DEMO_PORTS;
  const taken = await findTakenPort(isDemo ? [port, ...Object.values(demoPorts)] : [port]);
  if (taken !== undefined) {
    return err(failed(`port ${taken} is in use; stop what uses it, or choose --port (0 takes free ones)`));
  }

  if (await parts.isDataDirectoryInUse(dataDirectory)) {
    return err(
      failed(`the data directory ${dataDirectory} is in use by another \`sallyport dev\`; choose --data`),
    );
  }

  terminal.note('building the functions and the template');
  const assemblyDir = join(dataDirectory, 'assembly');
  const built = await attempt('cannot build', () =>
    parts.synthesize({ outDir: assemblyDir, stage, allowedOrigins }),
  );
  // Ctrl-C reaches the build too, so its failure is then no failure.
  if (stop.aborted) return interrupted(stop);
  if (!built.ok) return built;

  terminal.note('starting the local cloud');
  const started = await attempt('cannot start the local cloud', () =>
    parts.startLocalCloud({
      assemblyDir,
      dataDir: dataDirectory,
      port,
      stage,
      secrets: seeds.value.named,
      disconnects,
      log: terminal.note,
    }),
  );
  if (!started.ok) return started;
  const cloud = started.value;
  closers.push(() => cloud.close());
  if (stop.aborted) return interrupted(stop);

  let demo: Demo | undefined;
  if (seeds.value.demo !== undefined) {
    terminal.note('starting the demo servers');
    const { clients, polygon, weather } = seeds.value.demo;
    const running = await attempt('cannot start the demo servers', () =>
      parts.startDemo({
        origin: cloud.origin,
        ports: demoPorts,
        fininfoClientSecret: clients['fininfo-server'] ?? '',
        polygonKeys: byKey(polygon),
        weatherKeys: byKey(weather),
      }),
    );
    if (!running.ok) return running;
    demo = running.value;
    closers.push(() => running.value.close());
  }

  terminal.note(`applying ${configDirectory}`);
  const files = await readConfiguration(configDirectory, { ...variablesOf(demo), ...terminal.env });
  if (!files.ok) return files;
  const applied = await attempt('cannot apply the configuration', () =>
    cloud.invoke('control', { apply: { files: files.value, source: 'dev' } }),
  );
  if (!applied.ok) return applied;
  if (!Applied.safeParse(applied.value).success) {
    const refusal = configurationRefusal(configDirectory, applied.value);
    return err(refusal ?? failed(`the configuration was not applied; ${dataDirectory}/logs says why`));
  }
  for (const warning of configurationWarnings(configDirectory, applied.value)) terminal.note(warning);
  if (stop.aborted) return interrupted(stop);
  const setup = Setup.safeParse(await cloud.invoke('issuer', { check: 'setup' }).catch(() => undefined));
  for (const problem of setup.data?.problems ?? [
    `the issuer does not start; ${dataDirectory}/logs says why`,
  ]) {
    terminal.note(`warning: ${problem}`);
  }
  // With the ports that the configuration names by itself, nobody needs to be told where the demo servers are.
  const isUsual = demoPorts === DEMO_PORTS;
  return ok({
    cloud,
    stage,
    dataDirectory,
    isDemo,
    variables: demo !== undefined && isUsual ? DEMO_VARIABLES : variablesOf(demo),
  });
}

/** The variables of the shipped configuration that only a running demo gives. */
function variablesOf(demo: Demo | undefined): Readonly<Record<string, string>> | undefined {
  return demo && { ...demo.urls, ...DEMO_VARIABLES };
}

/** Runs a step; where it throws, its words become the failure: the first line, then the others without the stack. */
async function attempt<T>(what: string, step: () => Promise<T>): Promise<Result<T, Failure>> {
  try {
    return ok(await step());
  } catch (error) {
    const words = error instanceof Error ? error.message : 'unknown failure';
    const [first, ...details] = words.split('\n');
    return err(failed(`${what}: ${first}`, { details: details.filter((line) => !/^\s+at /.test(line)) }));
  }
}

function interrupted(stop: AbortSignal): Result<never, Failure> {
  return err({
    exit: stop.reason === 'SIGINT' ? EXIT.SIGINT : EXIT.SIGTERM,
    message: 'interrupted before it was ready',
  });
}
