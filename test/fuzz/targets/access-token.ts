import { deepStrictEqual, ok as holds, strictEqual } from 'node:assert';
import { importJWK, type JWTVerifyOptions, jwtVerify } from 'jose';
import { z } from 'zod';
import { makeKey, NOW_SECONDS, ORIGIN, TestIssuer, type TestKey } from '../../support/test-issuer.ts';
import { JSON_PIECES, objectText, stringText } from '../grammar-json.ts';
import { bytesOf, mutate, shorterLists, shorterTexts, smallerMember, toBytes } from '../mutate.ts';
import { readStrictly, type Tree, writeTree } from '../oracle/json-tree.ts';
import { EXACT_READERS, textOf } from '../oracle/lenient-readers.ts';
import { Random } from '../random.ts';
import { createTarget, type Verdict } from '../target.ts';

/** Takes some characters out of a token at a place (from its end where negative) and puts others in. */
type Edit = { readonly at: number; readonly removed: number; readonly put: string };

/** A token by its making, so that it is the same attack under any key: two parts as bytes, who signs, and what is done to it then. */
type Recipe = {
  readonly header: string;
  readonly payload: string;
  readonly key: 'access' | 'identity' | 'stranger';
  readonly edits: readonly Edit[];
};

/** Stands in a header for the id of the key that is meant. */
const KEY_ID = '$KEY';
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
  generate,
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
    optional('token_kind', (claim) => textOf(claim) === 'access') &&
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

const HONEST_HEADER = `{"alg":"RS256","typ":"at+jwt","kid":"${KEY_ID}"}`;
const CLAIMS: readonly (readonly [string, string])[] = [
  ['iss', JSON.stringify(ORIGIN)],
  ['sub', '"courier"'],
  ['aud', JSON.stringify(ORIGIN)],
  ['client_id', '"courier"'],
  ['scope', '"a b"'],
  ['org_id', '"acme"'],
  ['iat', String(NOW_SECONDS)],
  ['exp', String(NOW_SECONDS + 300)],
  ['jti', '"j-1"'],
];
const HONEST_PAYLOAD = `{${CLAIMS.map(([name, value]) => `"${name}":${value}`).join()}}`;
const VALUES = [
  ...[
    'null',
    'true',
    '0',
    '-1',
    '1.0',
    '1e9',
    '1800000100',
    '1800000300.0',
    '18e8',
    '1800000901',
    '1799999995',
    '1799999994',
    '1800000006',
  ],
  ...[
    '""',
    '"x"',
    '"courier"',
    '[]',
    '["x"]',
    '["a",1]',
    '{}',
    '{"sub":"x"}',
    '"1800000100"',
    '"access"',
    '"identity"',
    '"run"',
    '"a  b"',
    '"\\u0000"',
  ],
  ...[
    JSON.stringify(`${ORIGIN}/`),
    `[${JSON.stringify(ORIGIN)}]`,
    `"${'x'.repeat(255)}"`,
    `"${'x'.repeat(256)}"`,
    '1e400',
    '999999999999',
  ],
];
const EXTRA = [
  'token_kind',
  'nbf',
  'groups',
  'teams',
  'act',
  'auth_time',
  'cnf',
  'parent_iat',
  'namespace',
  'scope_filters',
  'Sub',
  '__proto__',
  'i\u017fs',
];
const HEADERS = [
  '{"typ":"at+jwt","kid":"$KEY","alg":"RS256"}',
  ' {"alg":"RS256","typ":"at+jwt","kid":"$KEY"}',
  '{"alg":"RS256","typ":"at+jwt","kid":"$KEY","alg":"RS256"}',
  '{"alg":"none","typ":"at+jwt","kid":"$KEY","alg":"RS256"}',
  '{"alg":"RS256","typ":"AT+JWT","kid":"$KEY"}',
  '{"alg":"RS256","typ":"application/at+jwt","kid":"$KEY"}',
  '{"alg":"RS256","typ":"JWT","kid":"$KEY"}',
  '{"alg":"RS512","typ":"at+jwt","kid":"$KEY"}',
  '{"alg":"RS256","typ":"at+jwt"}',
  '{"alg":"RS256","typ":"at+jwt","kid":"x"}',
  '{"alg":"RS256","typ":"at+jwt","kid":"$KEY","crit":[]}',
  '{"alg":"RS256","typ":"at+jwt","kid":"$KEY","b64":true}',
  '{"alg":"RS256","typ":"at+jwt","kid":"$KEY","Kid":"x"}',
  '{"alg":"RS256","typ":"at+jwt","\\u006bid":"$KEY"}',
  '\xef\xbb\xbf{"alg":"RS256","typ":"at+jwt","kid":"$KEY"}',
];
/** So many tokens are signed once and then edited; signing takes longer than everything else together. */
const POOL = 400;

function generate(random: Random): Recipe {
  const recipe = random.chance(2)
    ? unedited(random)
    : unedited(new Random(0x70_6f_6f_6c, random.below(POOL)));
  return {
    ...recipe,
    edits: random.chance(90) ? Array.from({ length: 1 + random.below(2) }, () => edit(random)) : [],
  };
}

function unedited(random: Random): Recipe {
  const key = random.chance(95) ? 'access' : random.pick(['identity', 'stranger'] as const);
  const header = random.chance(75) ? HONEST_HEADER : random.pick(HEADERS);
  if (random.chance(30)) return { header, payload: HONEST_PAYLOAD, key, edits: [] };
  const oddity = { spelling: random.pick([0, 20]), fault: random.pick([0, 0, 5]) };
  const changed = CLAIMS.flatMap((claim): (readonly [string, string])[] => {
    const fate = random.below(60);
    if (fate === 0) return [];
    return fate <= 3 ? [[claim[0], random.pick(VALUES)]] : [claim];
  });
  const extra = random.list(1, () => [random.pick(EXTRA), random.pick(VALUES)] as const);
  const members = [...changed, ...extra].map(([name, value]) => {
    const text = value.startsWith('"') ? stringText(random, JSON.parse(value), oddity) : value;
    return [name, text] as const;
  });
  const payload = toBytes(objectText(random, oddity, members));
  return {
    header,
    payload: random.chance(8) ? mutate(random, payload, JSON_PIECES) : payload,
    key,
    edits: [],
  };
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const PUTS = [
  '=',
  '==',
  '.',
  '..',
  ' ',
  '\t',
  '\n',
  '+',
  '/',
  '%2e',
  'AA',
  '\0',
  '\u00e9',
  ',',
  '"',
  '~',
  'A.A',
];

/** Most edits are at the end, where Base64 leaves bits over, and at the dots. */
function edit(random: Random): Edit {
  const at = random.chance(50) ? -random.below(5) : random.below(900);
  return {
    at,
    removed: random.below(3),
    put: random.chance(60) ? random.pick(Array.from(ALPHABET)) : random.pick(PUTS),
  };
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
