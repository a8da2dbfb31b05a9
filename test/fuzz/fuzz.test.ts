import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readMessage } from '../../functions/core/action.ts';
import {
  isJsonArray,
  isJsonObject,
  type Json,
  JsonNumber,
  parseJson,
  parseJsonText,
  STRICT_JSON,
  stringMember,
} from '../../functions/core/json.ts';
import { ok } from '../../functions/core/result.ts';
import { chanceOf, runCampaign } from './campaign.ts';
import { bodyBytes } from './grammar-json.ts';
import { type Posted, postedMessage, smallerPosts } from './grammar-message.ts';
import { shorterTexts } from './mutate.ts';
import { Random } from './random.ts';
import { createTarget, type Target } from './target.ts';
import { checkReader, POSTED } from './targets/header-body.ts';
import { checkParser } from './targets/strict-json.ts';
import { TARGETS } from './targets.ts';

const SEEDS = z.record(
  z.string(),
  z.array(z.object({ what: z.string(), input: z.unknown(), verdict: z.enum(['accepted', 'refused']) })),
);
const seeds = SEEDS.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, '../vectors/fuzz-seeds.json'), 'utf8')),
);

/** The gate runs few inputs, the same each time; `npm run fuzz` runs millions of new ones. */
const GATE_SEED = 20_261_121;
const GATE_RUNS: Readonly<Record<string, number>> = {
  json: 4_000,
  message: 4_000,
  gateway: 1_500,
  path: 4_000,
  token: 1_500,
  ingress: 10_000,
  stream: 600,
  address: 6_000,
};

describe.for(TARGETS.map((target) => [target.name, target] as const))('%s', ([name, target]) => {
  test.for((seeds[name] ?? []).map((seed) => [seed.what, seed] as const))('%s', async ([, seed]) => {
    expect(await target.replay(seed.input)).toBe(seed.verdict);
  });

  test('holds its laws on inputs of every kind', async () => {
    const { failure, counts } = await runCampaign(target, { seed: GATE_SEED, runs: GATE_RUNS[name] ?? 0 });
    expect(failure).toBe(undefined);
    expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(20);
  });
});

test('every vector belongs to a target, and every target has some', () => {
  expect(Object.keys(seeds).sort()).toEqual(TARGETS.map(({ name }) => name).sort());
});

describe('chance', () => {
  test('is the same for the same seed, target and run, and another for any other', () => {
    const draw = (target: Target, seed: number, run: number) =>
      Array.from(
        { length: 4 },
        (
          (random) => () =>
            random.next()
        )(chanceOf(target, seed, run)),
      ).join();
    const [first, second] = TARGETS;
    if (first === undefined || second === undefined) throw new Error('there are targets');
    expect(draw(first, 1, 2)).toBe(draw(first, 1, 2));
    const others = [draw(first, 1, 2), draw(first, 1, 3), draw(first, 2, 2), draw(second, 1, 2)];
    expect(new Set(others).size).toBe(4);
  });

  test('reaches every value', () => {
    const random = new Random(1, 1);
    const seen = new Set(Array.from({ length: 2_000 }, () => random.below(100)));
    expect([seen.size, Math.min(...seen), Math.max(...seen)]).toEqual([100, 0, 99]);
  });
});

describe('what is wrong on purpose is found, and made small', () => {
  const loseNumbers = (value: Json): Json => {
    if (value instanceof JsonNumber) return new JsonNumber(String(value.toNumber()));
    if (isJsonArray(value)) return value.map(loseNumbers);
    return isJsonObject(value)
      ? new Map(Array.from(value, ([name, item]) => [name, loseNumbers(item)]))
      : value;
  };
  const decoded = (bytes: Uint8Array) => Buffer.from(bytes).toString();

  test.for<readonly [string, typeof parseJson]>([
    ['takes case variants', (bytes) => parseJson(bytes, { ...STRICT_JSON, caseVariants: 'keep' })],
    ['takes a level more', (bytes) => parseJson(bytes, { ...STRICT_JSON, maxDepth: 65 })],
    ['takes a byte order mark', (bytes) => parseJsonText(decoded(bytes).replace(/^\ufeff/, ''))],
    ['mends invalid UTF-8', (bytes) => parseJsonText(decoded(bytes))],
    ['trims what is no white space', (bytes) => parseJsonText(new TextDecoder().decode(bytes).trim())],
    [
      'loses digits',
      (bytes) => {
        const parsed = parseJson(bytes);
        return parsed.ok ? ok(loseNumbers(parsed.value)) : parsed;
      },
    ],
    [
      'lets the last of two members win',
      (bytes) => {
        const text = decoded(bytes);
        const [, , single] = /^(.*?)("(?:[^"\\]|\\.)*":"?[\w/]+"?,)(?=.*\2)/s.exec(text) ?? [];
        return parseJsonText(single === undefined ? text : text.replace(single, ''));
      },
    ],
  ])('a parser that %s', async ([, parse]) => {
    const wrong = createTarget<string>({
      name: 'json',
      input: z.string(),
      generate: bodyBytes,
      check: (input) => checkParser(input, parse),
      smaller: shorterTexts,
    });
    const { failure } = await runCampaign(wrong, { seed: GATE_SEED, runs: 20_000 });
    expect(String(failure?.reduced).length).toBeLessThan(500);
    expect(() => wrong.replay(failure?.reduced)).toThrow();
  });

  /** `readMessage` over headers that somebody has tidied up before. */
  const tidied =
    (tidy: (headers: Headers, method: string) => void): typeof readMessage =>
    (bytes, given) => {
      const headers = new Headers(given);
      const parsed = parseJson(bytes);
      tidy(headers, (parsed.ok && stringMember(parsed.value, 'method')) || '');
      return readMessage(bytes, headers);
    };

  test.for<readonly [string, typeof readMessage]>([
    [
      'passes over a name where the method has none',
      tidied((headers, method) => {
        if (method.endsWith('/list')) headers.delete('mcp-name');
      }),
    ],
    [
      'takes a method in any case',
      tidied((headers, method) => {
        if (headers.get('mcp-method')?.toLowerCase() === method.toLowerCase())
          headers.set('mcp-method', method);
      }),
    ],
    [
      'takes a name in Latin-1',
      tidied((headers) => {
        const name = headers.get('mcp-name') ?? '';
        if (/[\x80-\xff]/.test(name))
          headers.set('mcp-name', `=?base64?${Buffer.from(name).toString('base64')}?=`);
      }),
    ],
    [
      'takes the first of two names',
      tidied((headers) => {
        const [first = ''] = headers.get('mcp-name')?.split(', ') ?? [];
        if (headers.has('mcp-name')) headers.set('mcp-name', first);
      }),
    ],
    [
      'takes any Base64',
      tidied((headers) => {
        const name = headers.get('mcp-name') ?? '';
        const encoded = /^=\?base64\?(.*)\?=$/.exec(name)?.[1];
        if (encoded === undefined) return;
        headers.set('mcp-name', `=?base64?${Buffer.from(encoded, 'base64').toString('base64')}?=`);
      }),
    ],
  ])('a reader of messages that %s', async ([, read]) => {
    const wrong = createTarget<Posted>({
      name: 'message',
      input: POSTED,
      generate: postedMessage,
      check: (posted) => checkReader(posted, read),
      smaller: smallerPosts,
    });
    const { failure } = await runCampaign(wrong, { seed: GATE_SEED, runs: 20_000 });
    expect(JSON.stringify(failure?.reduced).length).toBeLessThan(500);
    expect(() => wrong.replay(failure?.reduced)).toThrow();
  });
});

describe('npm run fuzz', () => {
  const run = (...args: readonly string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, 'run.ts'), ...args], { encoding: 'utf8' });

  test('says its seed and its figures', () => {
    const { status, stdout } = run(
      '--runs',
      '50',
      '--seed',
      '7',
      '--target',
      'ingress',
      '--target',
      'address',
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^seed 7, 50 inputs per target\ningress: 50 inputs, .*\naddress: 50 inputs, .*\n$/,
    );
  });

  test.for([
    ['--target', 'nothing'],
    ['--runs', '0'],
  ])('does nothing with %s %s', (args) => {
    expect(run(...args)).toMatchObject({ status: 2, stdout: '' });
  });
});
