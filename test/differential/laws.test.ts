import { expect, test } from 'vitest';
import { Random } from '../fuzz/random.ts';
import { mapping, type Plain, parsePlain } from './plain.ts';
import { Production } from './production.ts';
import { writePlain } from './text.ts';
import type { Claims, World } from './world.ts';
import { aRule, LISTS, makeWorld } from './worlds.ts';

const SEED = 11;
const WORLDS = 6;
const production = new Production();

/** What is allowed in a world, one answer for each caller, moment and request, in their order. */
function answersIn({ files, callers, asks, momentsSeconds }: World): readonly boolean[] {
  const policy = production.policy(files);
  return callers.flatMap((claims) =>
    momentsSeconds.flatMap((nowSeconds) => {
      const caller = production.caller(policy, claims, nowSeconds);
      const may = (ask: World['asks'][number]) =>
        caller !== undefined && production.decide(policy, caller, ask, nowSeconds) === 'allow';
      return asks.map(may);
    }),
  );
}

/** The scopes of the file that are lists of rules. */
function ruleLists(scopes: Plain): [string, unknown[]][] {
  return Object.entries(scopes).flatMap(([name, rules]) =>
    Array.isArray(rules) && name !== 'Scope-Documents' ? [[name, rules] satisfies [string, unknown[]]] : [],
  );
}

function withScopes(world: World, change: (scopes: Plain) => Plain): World {
  const scopes = mapping(parsePlain(world.files.get('scopes.yml') ?? '')) ?? {};
  return { ...world, files: new Map([...world.files, ['scopes.yml', writePlain(change(scopes))]]) };
}

function isDeny(rule: unknown): boolean {
  return mapping(rule)?.['deny'] === true;
}

/** Worlds with something that is allowed in each of them, so that a law has something to say. */
function* worlds(): Generator<{ world: World; random: Random; answers: readonly boolean[] }> {
  let found = 0;
  for (let number = 0; found < WORLDS; number += 1) {
    const random = new Random(SEED, number);
    const world = makeWorld(random);
    const answers = answersIn(world);
    if (!answers.includes(true)) continue;
    found += 1;
    yield { world, random, answers };
  }
}

/** Where something is allowed that was not. */
function gained(before: readonly boolean[], after: readonly boolean[]): number[] {
  return after.flatMap((isAllowed, index) => (isAllowed && before[index] !== true ? [index] : []));
}

test('a grant that is taken away never allows more', () => {
  let lost = 0;
  for (const { world, random, answers } of worlds()) {
    const changed = withScopes(world, (scopes) => {
      const kept = ruleLists(scopes).map(([name, rules]) => {
        return [name, rules.filter((rule) => isDeny(rule) || random.chance(50))];
      });
      return { ...scopes, ...Object.fromEntries(kept) };
    });
    const after = answersIn(changed);
    expect(gained(answers, after)).toEqual([]);
    lost += gained(after, answers).length;
  }
  expect(lost).toBeGreaterThan(0);
}, 120_000);

test('a deny that is added never allows more', () => {
  let lost = 0;
  for (const { world, random, answers } of worlds()) {
    const changed = withScopes(world, (scopes) => {
      const [[name, rules] = ['s1', []]] = ruleLists(scopes);
      return { ...scopes, [name]: [...rules, aRule(random, { isDefault: false, isDeny: true })] };
    });
    const after = answersIn(changed);
    expect(gained(answers, after)).toEqual([]);
    lost += gained(after, answers).length;
  }
  expect(lost).toBeGreaterThan(0);
}, 120_000);

test('the order of rules and scopes decides nothing', () => {
  for (const { world, answers } of worlds()) {
    const changed = withScopes(world, (scopes) => {
      const turned = Object.entries(scopes).reverse();
      return Object.fromEntries(
        turned.map(([name, rules]) => [name, Array.isArray(rules) ? rules.toReversed() : rules]),
      );
    });
    expect(answersIn(changed)).toEqual(answers);
  }
}, 120_000);

test('a default of another organisation changes nothing', () => {
  for (const { world, random, answers } of worlds()) {
    const changed = withScopes(world, (scopes) => {
      const defaults = Array.isArray(scopes['Defaults']) ? scopes['Defaults'] : [];
      const others = [true, false].map((isDeny) => ({
        ...aRule(random, { isDefault: true, isDeny }),
        org: 'rival',
      }));
      return { ...scopes, Defaults: [...defaults, ...others] };
    });
    const isOurs = world.callers.flatMap(({ org_id }) =>
      Array.from({ length: world.momentsSeconds.length * world.asks.length }, () => org_id === 'acme'),
    );
    const ours = (all: readonly boolean[]) => all.filter((_, index) => isOurs[index]);
    expect(ours(answersIn(changed))).toEqual(ours(answers));
  }
}, 120_000);

test('a token with fewer scopes never may do more', () => {
  let lost = 0;
  for (const { world, random, answers } of worlds()) {
    const narrower = world.callers.map((claims): Claims => {
      const scopes = String(claims['scope']).split(' ');
      return { ...claims, scope: scopes.filter(() => random.chance(50)).join(' ') };
    });
    const after = answersIn({ ...world, callers: narrower });
    expect(gained(answers, after)).toEqual([]);
    lost += gained(after, answers).length;
  }
  expect(lost).toBeGreaterThan(0);
}, 120_000);

test('the same question has the same answer, whatever was asked in between', () => {
  for (const { world, answers } of worlds()) {
    const asks = world.asks.toReversed();
    const backwards = answersIn({ ...world, asks });
    const turned = backwards.map((_, index) => {
      const start = index - (index % asks.length);
      return backwards[start + asks.length - 1 - (index % asks.length)];
    });
    expect(turned).toEqual(answers);
  }
}, 120_000);

test('a list shows what may be called, got or read, and nothing else', () => {
  let shown = 0;
  for (const { world } of worlds()) {
    const policy = production.policy(world.files);
    for (const claims of world.callers) {
      for (const nowSeconds of world.momentsSeconds) {
        const caller = production.caller(policy, claims, nowSeconds);
        if (caller === undefined) continue;
        for (const list of LISTS.filter(({ means }) => means !== 'tools/call')) {
          const listed = production.list(policy, caller, 'a', list, nowSeconds);
          const callable = list.names.filter((name) => {
            const params = list.means === 'prompts/get' ? { name } : { uri: name };
            const message = JSON.stringify({ jsonrpc: '2.0', id: 1, method: list.means, params });
            return production.decide(policy, caller, { server: 'a', message }, nowSeconds) === 'allow';
          });
          expect([...listed]).toEqual(callable);
          shown += callable.length;
        }
      }
    }
  }
  expect(shown).toBeGreaterThan(0);
}, 120_000);
