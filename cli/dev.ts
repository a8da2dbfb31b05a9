import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { err, ok, type Result } from '../functions/core/result.ts';
import { type DevOptions, runDev } from './dev-session.ts';
import { type Failure, misused } from './outcome.ts';
import { readPort } from './port.ts';
import type { Arguments, Verb } from './verb.ts';

/** The configuration that ships, wherever the command is run from. */
const SHIPPED_CONFIG = fileURLToPath(new URL('../config', import.meta.url));

/** `sallyport dev`: the whole cloud on this machine. */
export const dev: Verb = {
  name: 'dev',
  summary: 'run everything on this machine',
  usage: '[--config DIR] [--port N] [--data DIR]',
  positionals: { min: 0, max: 0 },
  options: [
    { name: 'config', value: 'DIR', help: 'your configuration; without it, the demo and its servers' },
    { name: 'port', value: 'N', help: 'port on 127.0.0.1 (default 8787); 0 takes free ones' },
    {
      name: 'data',
      value: 'DIR',
      help: 'where state is kept from one start to the next (default .sallyport)',
    },
    { name: 'stage', value: 'NAME', help: 'the {stage} of secret names (default local)' },
    { name: 'allowed-origins', value: 'A,B', help: 'browser origins that may call (default none)' },
    {
      name: 'disconnects',
      value: 'HOW',
      help: 'does a client that leaves end its call: reported (default), or unreported, as on AWS',
    },
  ],
  examples: [
    ['the demo: two agents, three MCP servers, one API that wants a key', 'sallyport dev'],
    ['your own configuration, for a script', 'sallyport dev --config ./config --port 0 --json'],
  ],
  notes: [
    'Ready is one line (with --json: one line of JSON). Secrets of your own configuration come from secrets.local.yml',
    'beside it; the demo makes its own at the first start and keeps them in the data directory. Ctrl-C and SIGTERM',
    'stop everything that was started; that is exit code 0 once it was ready.',
  ],
  async run(input, terminal) {
    const options = readOptions(input);
    if (!options.ok) return options;
    const [cloud, directory, synthesis, demo] = await Promise.all([
      import('../local/cloud.ts'),
      import('../local/data-directory.ts'),
      import('../local/synthesize.ts'),
      import('../local/demo/index.ts'),
    ]);
    return runDev(options.value, { ...cloud, ...directory, ...synthesis, ...demo }, terminal);
  },
};

function readOptions(input: Arguments): Result<DevOptions, Failure> {
  const port = readPort(input.text('port') ?? '8787');
  if (!port.ok) return port;
  const stage = input.text('stage') ?? 'local';
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(stage)) {
    return err(misused('`--stage` is lower-case letters, digits and -, beginning with a letter'));
  }
  const disconnects = input.text('disconnects') ?? 'reported';
  if (disconnects !== 'reported' && disconnects !== 'unreported') {
    return err(misused('`--disconnects` is `reported` or `unreported`'));
  }
  const config = input.text('config');
  return ok({
    configDirectory: config ?? SHIPPED_CONFIG,
    isDemo: config === undefined,
    dataDirectory: resolve(input.text('data') ?? '.sallyport'),
    port: port.value,
    stage,
    allowedOrigins: input.text('allowed-origins') ?? '',
    disconnects,
    isJson: input.flag('json'),
  });
}
