import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { apply } from './apply.ts';
import { audit } from './audit.ts';
import { connect } from './connect.ts';
import { connections } from './connections.ts';
import { context } from './context.ts';
import { dev } from './dev.ts';
import { disconnect } from './disconnect.ts';
import { explain } from './explain.ts';
import { commandHelp, verbHelp } from './help.ts';
import { keys } from './keys.ts';
import { login } from './login.ts';
import { mcp } from './mcp.ts';
import { EXIT, type Failure, misused } from './outcome.ts';
import { plan } from './plan.ts';
import { revoke } from './revoke.ts';
import { rollback } from './rollback.ts';
import { secret } from './secret.ts';
import type { Terminal } from './terminal.ts';
import { token } from './token.ts';
import { parseArguments, type Verb } from './verb.ts';
import { versions } from './versions.ts';

/** Every verb, in the order of `--help`. */
export const VERBS: readonly Verb[] = [
  dev,
  plan,
  apply,
  versions,
  rollback,
  explain,
  login,
  token,
  connect,
  connections,
  disconnect,
  mcp,
  context,
  keys,
  secret,
  revoke,
  audit,
];

/** Runs one command line and returns its exit code. Prints results on standard output, everything else beside it. */
export async function dispatch(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [first, ...rest] = argv;
  const name = first === 'help' ? rest[0] : first;
  const verb = VERBS.find((candidate) => candidate.name === name);
  if (verb !== undefined) return first === 'help' ? printed(verbHelp(verb)) : await run(verb, rest, terminal);
  if (name === '--version') return printed(await readVersion());
  if (first === '--help' || first === '-h' || (first === 'help' && name === undefined)) {
    return printed(commandHelp(VERBS));
  }
  if (first !== undefined) {
    return report(misused(`unknown verb \`${name}\`; \`sallyport --help\` lists them`), terminal, false);
  }
  terminal.note(commandHelp(VERBS));
  return EXIT.usage;

  function printed(text: string): number {
    terminal.print(text);
    return EXIT.ok;
  }
}

async function run(verb: Verb, argv: readonly string[], terminal: Terminal): Promise<number> {
  const parsed = parseArguments(verb, argv);
  if (!parsed.ok) {
    const code = report(parsed.error, terminal, argv.includes('--json'));
    terminal.note(`\`sallyport ${verb.name} --help\` shows options and examples`);
    return code;
  }
  if (parsed.value.flag('help')) {
    terminal.print(verbHelp(verb));
    return EXIT.ok;
  }
  const isJson = parsed.value.flag('json');
  const result = await verb.run(parsed.value, terminal);
  if (!result.ok) return report(result.error, terminal, isJson);
  const { text, json, exit } = result.value;
  if (isJson) {
    if (json !== undefined) terminal.print(JSON.stringify(json));
  } else if (text !== '') terminal.print(text);
  return exit ?? EXIT.ok;
}

function report(failure: Failure, terminal: Terminal, isJson: boolean): number {
  const { exit, message, details = [], json } = failure;
  if (isJson) terminal.print(JSON.stringify({ error: { message, ...json }, exit }));
  else for (const line of [`sallyport: ${message}`, ...details]) terminal.note(line);
  return exit;
}

async function readVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
