import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const LAUNCHER = fileURLToPath(new URL('../../cli/sallyport.mjs', import.meta.url));

/** Makes the launcher see an old Node.js; not passed on to what it starts. */
const OLD_NODE = [
  '--import',
  `data:text/javascript,${encodeURIComponent("Object.defineProperty(process, 'versions', { value: { node: '20.9.0' } })")}`,
];

function launch(argv: readonly string[], nodeOptions: readonly string[] = []) {
  const child = spawn(process.execPath, [...nodeOptions, LAUNCHER, ...argv], {
    env: { PATH: process.env['PATH'], SALLYPORT_ORIGIN: 'http://127.0.0.1:1' },
  });
  let [out, notes] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    notes += chunk;
  });
  const ended = new Promise<{ code: number | null; signal: string | null; out: string; notes: string }>(
    (resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal, out, notes }));
    },
  );
  return { child, ended };
}

test.for([
  ['this Node.js', []],
  ['an older Node.js, by handing over', OLD_NODE],
] as const)('runs on %s', async ([, options]) => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(await launch(['--version'], options).ended).toMatchObject({
    code: 0,
    out: `${version}\n`,
    notes: '',
  });
  const { child, ended } = launch(['token', '--client', 'x', '--secret-file', '-', '--json'], options);
  child.stdin.end('secret');
  const refused = await ended;
  expect(refused.code).toBe(3);
  expect(JSON.parse(refused.out)).toMatchObject({ exit: 3 });
});

test.for(['SIGTERM', 'SIGINT'] as const)(
  '%s ends the command behind the launcher, and the launcher',
  async (signal) => {
    const { child, ended } = launch(['token', '--client', 'x', '--data', 'none'], OLD_NODE);
    child.stderr.once('data', () => child.kill(signal));
    expect(await ended).toMatchObject({
      code: null,
      signal,
      notes: expect.stringContaining('standard input'),
    });
  },
);

test.for([
  ['this Node.js', []],
  ['an older Node.js', OLD_NODE],
] as const)('the end of the shell that npx runs it in ends the command, on %s', async ([, options]) => {
  const command = [process.execPath, ...options, LAUNCHER, 'token', '--client', 'x', '--data', 'none'];
  // With something after it, the shell stays the parent.
  const shell = spawn('sh', ['-c', '"$@"; true', 'sh', ...command], {
    env: { PATH: process.env['PATH'], SALLYPORT_ORIGIN: 'http://127.0.0.1:1', npm_lifecycle_event: 'npx' },
  });
  const ended = once(shell, 'close');
  await once(shell.stderr, 'data');
  shell.kill('SIGTERM');
  // Its output is closed once nobody of them is left.
  expect(await ended).toEqual([null, 'SIGTERM']);
});
