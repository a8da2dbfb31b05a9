import { describe, expect, test } from 'vitest';
import { VERBS } from '../../cli/dispatch.ts';
import { parseArguments } from '../../cli/verb.ts';
import { run } from './terminal.ts';

/** The arguments of the last `sallyport VERB` in an example, as a shell splits them. */
function splitExample(command: string): string[] {
  const [, line = ''] = /.*sallyport \w+ ?(.*)$/.exec(command) ?? [];
  return Array.from(line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g), ([, a, b, c]) => a ?? b ?? c ?? '');
}

describe.for(VERBS.map((verb) => ({ name: verb.name, verb })))('$name', ({ verb }) => {
  test('has help with examples, by either way of asking', async () => {
    const { code, out } = await run([verb.name, '--help']);
    expect(code).toBe(0);
    for (const [what, command] of verb.examples) expect(out).toContain(`  # ${what}\n  ${command}`);
    for (const { name } of verb.options) expect(out).toContain(`--${name}`);
    expect(out).toContain('Exit codes:');
    expect((await run(['help', verb.name])).out).toBe(out);
  });

  test('help has at least one example, and every example is a right command line', () => {
    expect(verb.examples.length).toBeGreaterThan(0);
    for (const [, command] of verb.examples) {
      expect(command).toMatch(new RegExp(`sallyport ${verb.name}\\b`));
      expect(parseArguments(verb, splitExample(command))).toMatchObject({ ok: true });
    }
  });

  test('an unknown option is a usage error', async () => {
    const { code, notes } = await run([verb.name, 'x', '--frobnicate']);
    expect(code).toBe(2);
    expect(notes).toContain("Unknown option '--frobnicate'");
    expect(notes).toContain(`sallyport ${verb.name} --help`);
  });

  test('with --json a usage error is one JSON document', async () => {
    const { code, out } = await run([verb.name, 'a', 'b', 'c', 'd', 'e', '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toEqual({ error: { message: expect.stringContaining('usage: ') }, exit: 2 });
  });
});

test('the command alone says what there is, and that it did nothing', async () => {
  const { code, out, notes } = await run([]);
  expect([code, out]).toEqual([2, '']);
  for (const { name } of VERBS) expect(notes).toContain(`  ${name} `);
});

test.for([[['--help']], [['-h']], [['help']]])('%o is help', async ([argv]) => {
  const { code, out } = await run(argv ?? []);
  expect(code).toBe(0);
  expect(out).toContain('Usage: sallyport VERB');
});

test.for(['frob', 'constructor', ''])('`%s` is not a verb', async (verb) => {
  expect(await run([verb])).toMatchObject({ code: 2, out: '' });
  expect(await run(['help', verb])).toMatchObject({ code: 2, out: '' });
});

test.for([
  ['--port', '65536'],
  ['--port', 'x'],
  ['--port', '-1'],
  ['--stage', 'Prod/..'],
  ['--stage', ''],
  ['--disconnects', 'never'],
  ['extra'],
])('dev %o is a usage error', async (argv) => {
  expect((await run(['dev', ...argv])).code).toBe(2);
});
