import { deepStrictEqual, ok as holds, strictEqual } from 'node:assert';
import { importJWK, type JWTVerifyOptions, jwtVerify } from 'jose';
import { z } from 'zod';
import { makeKey, NOW_SECONDS, ORIGIN, TestIssuer, type TestKey } from '../../support/test-issuer.ts';
import {
  type Edit,
  HONEST_HEADER,
  HONEST_PAYLOAD,
  KEY_ID,
  type Recipe,
  tokenRecipe,
} from '../grammar-token.ts';
import { bytesOf, shorterLists, shorterTexts, smallerMember } from '../mutate.ts';
import { readStrictly, type Tree, writeTree } from '../oracle/json-tree.ts';
import { EXACT_READERS, textOf } from '../oracle/lenient-readers.ts';
import { createTarget, type Verdict } from '../target.ts';

const issuer = new TestIssuer();
const keys: Readonly<Record<Recipe['key'], TestKey>> = {
  access: issuer.access,
  identity: issuer.identity,
  stranger: makeKey('access'),
};
const { n, e } = issuer.access.published;
const joseKey = await importJWK({ kty: 'RSA', n, e }, 'RS256');
const JOSE: JWTVerifyOptions = {
  algorithms: ['RS256'],
  typ: 'at+jwt',
  issuer: ORIGIN,
  clockTolerance: 5,
  currentDate: new Date(NOW_SECONDS * 1000),
  requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id'],
};

/**
 * The token layer. What it accepts, `jose` accepts; it is signed by the access key, its two parts are strict JSON with the claims of contract
 * §4 in their types, and it is the one spelling of its token: no edit of an accepted token is accepted.
 */
export const accessToken = createTarget<Recipe>({
  name: 'token',
  input: z.object({
    header: z.string(),
    payload: z.string(),
    key: z.enum(['access', 'identity', 'stranger']),
    edits: z.array(z.object({ at: z.number(), removed: z.number(), put: z.string() })),
  }),
  generate: tokenRecipe,
  check,
  *smaller(recipe) {
    yield* smallerMember(
      recipe,
      'edits',
      shorterLists(recipe.edits, (edit) => smallerMember(edit, 'put', shorterTexts(edit.put))),
    );
    yield* smallerMember(recipe, 'payload', shorterTexts(recipe.payload));
  },
});

const signed = new Map<string, string>();

function sign({ header, payload, key }: Recipe): string {
  const recipe = JSON.stringify([header, payload, key]);
  const known = signed.get(recipe);
  if (known !== undefined) return known;
  const named = header.replaceAll(KEY_ID, issuer.access.published.keyId);
  const token = issuer.sign(bytesOf(named), bytesOf(payload), keys[key]);
  if (signed.size < 2_000) signed.set(recipe, token);
  return token;
}

async function check(recipe: Recipe): Promise<Verdict> {
  const token = sign(recipe);
  const edited = recipe.edits.reduce(applyEdit, token);
  const verified = issuer.verify(edited);
  if (!verified.ok) {
    holds(edited !== token || !isHonest(recipe), `an honest token is refused: ${verified.error.detail}`);
    return 'refused';
  }
  strictEqual(edited, token, 'another spelling of a token that is accepted');
  strictEqual(recipe.key, 'access', 'the key that may sign access tokens');
  await jwtVerify(edited, joseKey, JOSE);
  const header = readStrictly(bytesOf(recipe.header));
  deepStrictEqual(namesOf(header).toSorted(), ['alg', 'kid', 'typ'], 'the members of its header');
  const payload = readStrictly(bytesOf(recipe.payload));
  holds(payload !== undefined && isSound(payload), 'its claims are there, in their types');
  return 'accepted';
}

const member = EXACT_READERS[0]?.member ?? (() => undefined);

/** The claims of contract §4 by a second reading: typed, bounded, and valid at the tests' second. */
function isSound(claims: Tree): boolean {
  const text = (name: string) => textOf(member(claims, name)) ?? '';
  const whole = (name: string) => {
    const claim = member(claims, name);
    return claim?.kind === 'scalar' && /^\d{1,12}$/.test(claim.lexeme) ? Number(claim.lexeme) : Number.NaN;
  };
  const optional = (name: string, isTyped: (claim: Tree) => boolean) => {
    const claim = member(claims, name);
    return claim === undefined || isTyped(claim);
  };
  const areTexts = (claim: Tree) =>
    claim.kind === 'array' && claim.items.every(({ kind }) => kind === 'string');
  const isWhole = (name: string) => optional(name, () => Number.isInteger(whole(name)));
  const lifetime = whole('exp') - whole('iat');
  return (
    text('iss') === ORIGIN &&
    ['sub', 'client_id', 'org_id', 'jti'].every((name) => text(name) !== '' && text(name).length <= 255) &&
    text('aud') !== '' &&
    lifetime > 0 &&
    lifetime <= 900 &&
    whole('iat') <= NOW_SECONDS + 5 &&
    whole('exp') > NOW_SECONDS - 5 &&
    member(claims, 'scope')?.kind === 'string' &&
    optional('token_kind', (claim) => ['access', 'api', 'session'].includes(textOf(claim) ?? '')) &&
    optional('nbf', () => whole('nbf') <= NOW_SECONDS + 5) &&
    ['auth_time', 'parent_iat'].every(isWhole) &&
    ['groups', 'teams'].every((name) => optional(name, areTexts)) &&
    optional('act', (claim) => isActor(claim, 4)) &&
    member(claims, 'cnf') === undefined
  );
}

/** RFC 8693 §4.1, as deep as `deepest`. */
function isActor(claim: Tree, deepest: number): boolean {
  const subject = claim.kind === 'object' ? (textOf(member(claim, 'sub')) ?? '') : '';
  const before = claim.kind === 'object' ? member(claim, 'act') : undefined;
  if (deepest === 0 || subject === '' || subject.length > 255) return false;
  return before === undefined || isActor(before, deepest - 1);
}

function applyEdit(token: string, { at, removed, put }: Edit): string {
  const start = at <= 0 ? Math.max(0, token.length + at - removed) : Math.min(at, token.length);
  return token.slice(0, start) + put + token.slice(start + removed);
}

function isHonest({ header, payload, key }: Recipe): boolean {
  return header === HONEST_HEADER && payload === HONEST_PAYLOAD && key === 'access';
}

function namesOf(tree: Tree | undefined): readonly string[] {
  return tree?.kind === 'object'
    ? tree.members.map(([name]) => name)
    : [tree === undefined ? 'no JSON' : writeTree(tree)];
}
