import { Random } from '../fuzz/random.ts';
import { Evaluator } from './evaluator.ts';
import type { Production } from './production.ts';
import { writePlain } from './text.ts';
import type { Ask, Claims, Verdict, World } from './world.ts';
import { makeWorld } from './worlds.ts';

/** Of a message, of an item in a list, of a token. */
type Answer = Verdict | 'listed' | 'hidden' | 'caller' | 'no caller';

/** A pair that the two do not answer alike, with everything that is needed to look at it. */
export type Disagreement = {
  readonly seed: number;
  readonly world: number;
  readonly files: Readonly<Record<string, string>>;
  readonly claims: Claims;
  readonly ask: Ask;
  readonly nowSeconds: number;
  readonly expected: Answer;
  readonly actual: Answer;
};

/** What came of some worlds. */
export type Tally = {
  readonly worlds: number;
  readonly pairs: number;
  readonly allowed: number;
  readonly disagreements: readonly Disagreement[];
};

/** Asks both about everything in one world. */
export function compareWorld(production: Production, seed: number, number: number): Tally {
  return compare(production, makeWorld(new Random(seed, number)), { seed, world: number });
}

/** Asks both about everything in this world. */
export function compare(
  production: Production,
  { files, callers, asks, lists, momentsSeconds }: World,
  place: { readonly seed: number; readonly world: number },
): Tally {
  const policy = production.policy(files);
  const evaluator = new Evaluator(files);
  const disagreements: Disagreement[] = [];
  let [pairs, allowed] = [0, 0];
  const note = (found: Omit<Disagreement, 'seed' | 'world' | 'files'>) =>
    disagreements.push({ ...place, files: Object.fromEntries(files), ...found });

  for (const claims of callers) {
    for (const nowSeconds of momentsSeconds) {
      const party = evaluator.party(claims, nowSeconds);
      const caller = production.caller(policy, claims, nowSeconds);
      if (party === undefined || caller === undefined) {
        if (party === undefined && caller === undefined) continue;
        const answer = (one: unknown) => (one === undefined ? 'no caller' : 'caller');
        const ask = { server: '', message: '' };
        note({ claims, nowSeconds, ask, expected: answer(party), actual: answer(caller) });
        continue;
      }
      for (const ask of asks) {
        const expected = evaluator.decide(party, ask, nowSeconds);
        const actual = production.decide(policy, caller, ask, nowSeconds);
        pairs += 1;
        if (actual === 'allow') allowed += 1;
        if (expected !== actual) note({ claims, nowSeconds, ask, expected, actual });
      }
      for (const list of lists) {
        const shown = production.list(policy, caller, 'a', list, nowSeconds);
        for (const name of list.names) {
          const wish = { server: 'a', method: list.means, isRequest: true, name, arguments: 'unseen' };
          const expected = evaluator.allows(party, wish, nowSeconds) ? 'listed' : 'hidden';
          const actual = shown.has(name) ? 'listed' : 'hidden';
          pairs += 1;
          if (actual === 'listed') allowed += 1;
          const ask = { server: 'a', message: writePlain({ method: list.method, name }) };
          if (expected !== actual) note({ claims, nowSeconds, ask, expected, actual });
        }
      }
    }
  }
  return { worlds: 1, pairs, allowed, disagreements };
}
