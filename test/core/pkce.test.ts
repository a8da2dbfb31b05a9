import { expect, test } from 'vitest';
import { isCodeChallenge, provesChallenge } from '../../functions/core/pkce.ts';

/** The example of RFC 7636, appendix B. */
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

test('a verifier belongs to its challenge', () => {
  expect(provesChallenge(VERIFIER, CHALLENGE)).toBe(true);
});

test.for<readonly [string, string, string]>([
  ['another verifier', `${VERIFIER.slice(0, -1)}j`, CHALLENGE],
  ['a verifier that is too short', VERIFIER.slice(1), CHALLENGE],
  ['a verifier that is too long', VERIFIER.repeat(3), CHALLENGE],
  ['a verifier of other characters', `${VERIFIER.slice(1)}+`, CHALLENGE],
  ['the challenge itself, as the method `plain` has it', CHALLENGE, CHALLENGE],
  ['a challenge that is none', VERIFIER, CHALLENGE.slice(1)],
  ['an empty challenge', VERIFIER, ''],
])('nothing is proved by %s', ([, verifier, challenge]) => {
  expect(provesChallenge(verifier, challenge)).toBe(false);
});

test.for([
  [CHALLENGE, true],
  [`${CHALLENGE.slice(0, -1)}N`, false],
  [`${CHALLENGE}=`, false],
  ['', false],
] as const)('%j is a challenge: %s', ([text, expected]) => {
  expect(isCodeChallenge(text)).toBe(expected);
});
