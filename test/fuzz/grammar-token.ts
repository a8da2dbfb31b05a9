import { NOW_SECONDS, ORIGIN } from '../support/test-issuer.ts';
import { JSON_PIECES, objectText, stringText } from './grammar-json.ts';
import { mutate, toBytes } from './mutate.ts';
import { Random } from './random.ts';

/** Takes some characters out of a token at a place (from its end where negative) and puts others in. */
export type Edit = { readonly at: number; readonly removed: number; readonly put: string };

/** A token by its making, so that it is the same attack under any key: two parts as bytes, who signs, and what is done to it then. */
export type Recipe = {
  readonly header: string;
  readonly payload: string;
  readonly key: 'access' | 'identity' | 'stranger';
  readonly edits: readonly Edit[];
};

/** Stands in a header for the id of the key that is meant. */
export const KEY_ID = '$KEY';
/** The parts of a token that is accepted. */
export const HONEST_HEADER = `{"alg":"RS256","typ":"at+jwt","kid":"${KEY_ID}"}`;
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
export const HONEST_PAYLOAD = `{${CLAIMS.map(([name, value]) => `"${name}":${value}`).join()}}`;
const VALUES = [
  ...['null', 'true', '0', '-1', '1.0', '1e9', '1800000100', '1800000300.0', '18e8', '1800000901'],
  ...['1799999995', '1799999994', '1800000006'],
  ...['""', '"x"', '"courier"', '[]', '["x"]', '["a",1]', '{}', '{"sub":"x"}', '"1800000100"', '"access"'],
  ...['"identity"', '"run"', '"a  b"', '"\\u0000"'],
  ...[
    JSON.stringify(`${ORIGIN}/`),
    `[${JSON.stringify(ORIGIN)}]`,
    `"${'x'.repeat(255)}"`,
    `"${'x'.repeat(256)}"`,
    '1e400',
    '999999999999',
  ],
];
/** Seconds around those that the bounds of a token lie at. */
const TIMES = [
  -901, -900, -305, -301, -6, -5, -4, 0, 1, 4, 5, 6, 299, 300, 301, 599, 600, 899, 900, 901, 905,
].map((seconds) => String(NOW_SECONDS + seconds));
const TIME_CLAIMS: ReadonlySet<string> = new Set(['iat', 'exp', 'nbf', 'auth_time', 'parent_iat']);
const EXTRA = [
  ...['token_kind', 'nbf', 'groups', 'teams', 'act', 'auth_time', 'cnf', 'parent_iat', 'namespace'],
  ...['scope_filters', 'Sub', '__proto__', 'i\u017fs'],
];
const HEADERS = [
  ...['{"typ":"at+jwt","kid":"$KEY","alg":"RS256"}', ' {"alg":"RS256","typ":"at+jwt","kid":"$KEY"}'],
  ...['{"alg":"RS256","typ":"at+jwt","kid":"$KEY","alg":"RS256"}'],
  ...['{"alg":"none","typ":"at+jwt","kid":"$KEY","alg":"RS256"}'],
  ...['{"alg":"RS256","typ":"AT+JWT","kid":"$KEY"}'],
  ...['{"alg":"RS256","typ":"application/at+jwt","kid":"$KEY"}', '{"alg":"RS256","typ":"JWT","kid":"$KEY"}'],
  ...['{"alg":"RS512","typ":"at+jwt","kid":"$KEY"}', '{"alg":"RS256","typ":"at+jwt"}'],
  ...['{"alg":"RS256","typ":"at+jwt","kid":"x"}', '{"alg":"RS256","typ":"at+jwt","kid":"$KEY","crit":[]}'],
  ...['{"alg":"RS256","typ":"at+jwt","kid":"$KEY","b64":true}'],
  ...['{"alg":"RS256","typ":"at+jwt","kid":"$KEY","Kid":"x"}'],
  ...['{"alg":"RS256","typ":"at+jwt","\\u006bid":"$KEY"}'],
  ...['\xef\xbb\xbf{"alg":"RS256","typ":"at+jwt","kid":"$KEY"}'],
];
/** So many tokens are signed once and then edited; signing takes longer than everything else together. */
const POOL = 400;

/** A token of a few hundred that are signed once, or a new one; mostly edited after it was signed. */
export function tokenRecipe(random: Random): Recipe {
  const isNew = random.chance(4);
  const recipe = unedited(isNew ? random : new Random(0x70_6f_6f_6c, random.below(POOL)));
  const isEdited = random.chance(isNew ? 10 : 90);
  return {
    ...recipe,
    edits: isEdited ? Array.from({ length: 1 + random.below(2) }, () => edit(random)) : [],
  };
}

function unedited(random: Random): Recipe {
  const key = random.chance(95) ? 'access' : random.pick(['identity', 'stranger'] as const);
  const header = random.chance(85) ? HONEST_HEADER : random.pick(HEADERS);
  if (random.chance(30)) return { header, payload: HONEST_PAYLOAD, key, edits: [] };
  const oddity = { spelling: random.pick([0, 20]), fault: random.pick([0, 0, 5]) };
  const honest = random.chance(25) ? withTimes(random) : CLAIMS;
  const changed = honest.flatMap((claim): (readonly [string, string])[] => {
    const fate = random.below(60);
    if (fate === 0) return [];
    return fate <= 3 ? [[claim[0], claimValue(random, claim[0])]] : [claim];
  });
  const extra = random.list(1, () => {
    const name = random.pick(EXTRA);
    return [name, claimValue(random, name)] as const;
  });
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

/** Claims whose two times lie at the bounds of a token's life, one of them at a bound of its own. */
function withTimes(random: Random): typeof CLAIMS {
  const lifetime = random.pick([-1, 0, 1, 10, 300, 899, 900, 901]);
  const atEnd = random.chance(50);
  const edge = NOW_SECONDS + random.pick([-6, -5, -4, 0, 4, 5, 6]);
  const [iat, exp] = atEnd ? [edge - lifetime, edge] : [edge, edge + lifetime];
  return CLAIMS.map(([name, value]) => [
    name,
    name === 'iat' ? String(iat) : name === 'exp' ? String(exp) : value,
  ]);
}

function claimValue(random: Random, claim: string): string {
  return random.pick(TIME_CLAIMS.has(claim) && random.chance(70) ? TIMES : VALUES);
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const PUTS = [
  ...['=', '==', '.', '..', ' ', '\t', '\n', '+', '/', '%2e', 'AA', '\0', '\u00e9', ',', '"', '~', 'A.A'],
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
