import { createHmac, createPublicKey, sign } from 'node:crypto';
import fc from 'fast-check';
import { type JWK, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import {
  type ForeignTokenRule,
  readForeignHeader,
  readForeignIssuer,
  verifyForeignToken,
} from '../../functions/core/foreign-token.ts';
import { stringMember } from '../../functions/core/json.ts';
import type { ForeignKey } from '../../functions/core/ports.ts';
import {
  FOREIGN_ISSUER,
  type ForeignTestKey,
  foreignClaims,
  makeEcKey,
  makeRsaKey,
  signatureOf,
  signForeign,
} from '../support/foreign-issuer.ts';
import { type Changes, NOW_SECONDS } from '../support/test-issuer.ts';

const rsa = makeRsaKey();
const ec = makeEcKey();
const other = makeRsaKey({ kid: 'other' });
const weak = makeRsaKey({ kid: 'weak' }, 1024);
const p384 = makeEcKey({ kid: 'p384' }, 'P-384');
const published = [rsa.published, ec.published];

const RULE: ForeignTokenRule = {
  types: ['jwt', undefined],
  issuer: FOREIGN_ISSUER,
  audiences: ['sallyport'],
  soleAudience: false,
  nowSeconds: NOW_SECONDS,
  maxLifetimeSeconds: 3600,
};

function detail(compact: string, changes: Partial<ForeignTokenRule> = {}, keys = published): string {
  const verified = verifyForeignToken(compact, keys, { ...RULE, ...changes });
  return verified.ok ? 'accepted' : verified.error.detail;
}

const withClaims = (changes: Changes) => signForeign(rsa, foreignClaims(changes));
const withHeader = (changes: Changes) => signForeign(rsa, foreignClaims(), changes);
const honest = withClaims({});
const [headerPart = '', payloadPart = '', signaturePart = ''] = honest.split('.');
const payloadText = JSON.stringify(foreignClaims());

describe('an honest token', () => {
  test.for([
    ['RS256', rsa],
    ['PS256', rsa],
    ['ES256', ec],
  ] as const)('signed with %s is accepted', ([algorithm, key]) => {
    const compact = signForeign(key, foreignClaims(), {}, algorithm);
    expect(detail(compact)).toBe('accepted');
    expect(readForeignHeader(compact)).toEqual({ algorithm, keyId: key.published['kid'], type: 'jwt' });
    expect(readForeignIssuer(compact)).toBe(FOREIGN_ISSUER);
  });

  test('gives its claims as they are', () => {
    const verified = verifyForeignToken(withClaims({ 'cognito:groups': ['a'] }), published, RULE);
    expect(verified.ok && stringMember(verified.value, 'sub')).toBe('u-1');
    expect(verified.ok && verified.value.get('cognito:groups')).toEqual(['a']);
  });

  test.for<readonly [string, Changes]>([
    ['names no key', { kid: undefined }],
    ['has no type', { typ: undefined }],
    ['has its type in capitals', { typ: 'JWT' }],
    ['has its type in small letters', { typ: 'jwt' }],
    ['has its type as a media type', { typ: 'application/jwt' }],
    ['has a media type in capitals', { typ: 'APPLICATION/JWT' }],
    ['has a thumbprint of a certificate', { x5t: 'abc', 'x5t#S256': 'def' }],
  ])('is accepted where it %s', ([, changes]) => {
    expect(detail(withHeader(changes))).toBe('accepted');
  });

  test.for<readonly [string, Changes]>([
    ['no `iat`, where no lifetime is asked for', { iat: undefined }],
    ['its audience in a list', { aud: ['sallyport'] }],
    ['other audiences beside', { aud: ['x', 'sallyport'] }],
    ['an `nbf`', { nbf: NOW_SECONDS - 5 }],
  ])('may have %s', ([, changes]) => {
    expect(detail(withClaims(changes), { maxLifetimeSeconds: undefined })).toBe('accepted');
  });

  test('of 16,384 bytes is the longest', () => {
    const ofLength = (target: number) => {
      const base = withClaims({ pad: '' }).length;
      const tokens = [-2, -1, 0, 1, 2].map((step) =>
        withClaims({ pad: 'x'.repeat(Math.floor(((target - base) * 3) / 4) + step) }),
      );
      return tokens.filter((token) => token.length <= target).sort((a, b) => b.length - a.length)[0] ?? '';
    };
    const longest = ofLength(16_384);
    const longer = ofLength(16_388);
    expect([longest.length > 16_380, longer.length > 16_384]).toEqual([true, true]);
    expect([detail(longest), detail(longer)]).toEqual(['accepted', 'not_a_compact_jws']);
    expect(readForeignHeader(longer)).toBe(undefined);
    expect(readForeignIssuer(longer)).toBe(undefined);
  });
});

describe('the header', () => {
  test.for<readonly [string, unknown]>([
    ['none', 'none'],
    ['capitals of none', 'None'],
    ['nothing', ''],
    ['HS256', 'HS256'],
    ['small letters', 'rs256'],
    ['a space behind', 'RS256 '],
    ['RS1', 'RS1'],
    ['RS512', 'RS512'],
    ['ES512', 'ES512'],
    ['ES256K', 'ES256K'],
    ['EdDSA', 'EdDSA'],
    ['a list', ['RS256']],
    ['a number', 256],
    ['null', null],
    ['nobody', undefined],
    ['a name of every object', 'constructor'],
  ])('with `alg` %s is refused', ([, alg]) => {
    expect(detail(withHeader({ alg }))).toBe('header');
    expect(readForeignHeader(withHeader({ alg }))).toBe(undefined);
  });

  test.for<readonly [string, Changes]>([
    ['`crit` of a claim', { crit: ['exp'], exp: 1 }],
    ['`crit` that is empty', { crit: [] }],
    ['`crit` null', { crit: null }],
    ['`b64` false', { b64: false, crit: ['b64'] }],
    ['`b64` true', { b64: true }],
    ['`zip`', { zip: 'DEF' }],
    ['`kid` that is a number', { kid: 1 }],
    ['`kid` null', { kid: null }],
    ['`kid` that is empty', { kid: '' }],
    ['`kid` of 256 characters', { kid: 'k'.repeat(256) }],
    ['`typ` that is a list', { typ: ['JWT'] }],
    ['`typ` null', { typ: null }],
    ['`typ` that is empty', { typ: '' }],
    ['`typ` of another tree', { typ: 'text/jwt' }],
    ['`typ` with a parameter', { typ: 'jwt;x=1' }],
    ['`typ` with a space', { typ: ' jwt' }],
    ['`typ` with a letter that folds', { typ: 'J\u212aT' }],
  ])('with %s is refused', ([, changes]) => {
    expect(detail(withHeader(changes))).toBe('header');
  });

  test.for(['at+jwt', 'logout+jwt', 'oauth-id-jag+jwt', 'application/at+jwt', 'dpop+jwt', 'jose'])(
    'of type %s is no id token',
    (typ) => {
      expect(detail(withHeader({ typ }))).toBe('type');
    },
  );

  test('without a type is refused where one is asked for, and one of the asked types is accepted', () => {
    const types = ['oauth-id-jag+jwt'];
    expect(detail(withHeader({ typ: undefined }), { types })).toBe('type');
    expect(detail(withHeader({ typ: 'JWT' }), { types })).toBe('type');
    expect(detail(withHeader({ typ: 'application/OAuth-ID-JAG+jwt' }), { types })).toBe('accepted');
    expect(detail(honest, { types: [] })).toBe('type');
  });

  test.for([
    ['an array', '["RS256"]'],
    ['a duplicate `alg`', '{"alg":"none","alg":"RS256","kid":"rsa-1","typ":"JWT"}'],
    ['a duplicate by escape', '{"alg":"none","\\u0061lg":"RS256","kid":"rsa-1","typ":"JWT"}'],
    ['a case variant', '{"alg":"RS256","ALG":"none","kid":"rsa-1","typ":"JWT"}'],
    ['a byte order mark', '\uFEFF{"alg":"RS256","kid":"rsa-1","typ":"JWT"}'],
    ['text behind', '{"alg":"RS256","kid":"rsa-1","typ":"JWT"}{}'],
    ['no JSON', 'RS256'],
  ] as const)('that is %s is refused', ([, text]) => {
    expect(detail(signForeign(rsa, foreignClaims(), text))).toBe('header');
  });

  test.for<readonly [string, Changes]>([
    ['`jwk`', { jwk: { kty: 'RSA', n: other.published['n'], e: other.published['e'], kid: 'rsa-1' } }],
    ['`jku`', { jku: 'https://evil.example.com/jwks.json' }],
    ['`x5u`', { x5u: 'https://evil.example.com/cert' }],
    ['`x5c`', { x5c: ['MIIB'] }],
  ])('that brings its own key as %s gets nowhere with it', ([, changes]) => {
    const forged = signForeign(other, foreignClaims(), { kid: 'rsa-1', ...changes });
    expect(detail(forged)).toBe('signature');
  });
});

describe('the key', () => {
  const change = (members: Readonly<Record<string, string>>): readonly ForeignKey[] => [
    { ...rsa.published, ...members },
  ];
  const verdict = (keys: readonly ForeignKey[], compact = honest) => detail(compact, {}, [...keys]);

  test.for<readonly [string, readonly ForeignKey[]]>([
    ['there are none', []],
    ['another is meant', [other.published]],
    ['it says another `alg`', change({ alg: 'PS256' })],
    ['it says an `alg` that is none of ours', change({ alg: 'RSA-OAEP' })],
    ['it says an empty `alg`', change({ alg: '' })],
    ['it is for encryption', change({ use: 'enc' })],
    ['its type is another', change({ kty: 'EC' })],
    ['its type is symmetric', [{ kty: 'oct', kid: 'rsa-1', k: rsa.published['n'] ?? '' }]],
    ['its id differs in case', change({ kid: 'RSA-1' })],
    ['it has no id, and one is named', [omit(rsa.published, 'kid')]],
  ])('is unknown where %s', ([, keys]) => {
    expect(verdict(keys)).toBe('unknown_key');
  });

  test.for<readonly [string, Readonly<Record<string, string>>]>([
    ['no modulus', { n: '' }],
    ['a modulus of something else', { n: 'AQAB' }],
    ['an exponent of 1', { e: 'AQ' }],
    ['no exponent', { e: '' }],
    ['an exponent of 0', { e: 'AA' }],
  ])('with %s signed nothing', ([, members]) => {
    expect(verdict(change(members))).toBe('signature');
  });

  test('with fewer than 2048 bits signs nothing', () => {
    expect(verdict([weak.published], signForeign(weak, foreignClaims()))).toBe('signature');
  });

  test('on another curve signs no ES256', () => {
    const [first = ''] = signForeign(p384, foreignClaims(), { alg: 'ES256' }).split('.');
    const input = `${first}.${payloadPart}`;
    const signature = signatureOf(input, 'ES256', p384.privateKey).toString('base64url');
    expect(verdict([p384.published], `${input}.${signature}`)).toBe('unknown_key');
    expect(verdict([{ ...p384.published, crv: 'P-256' }], `${input}.${signature}`)).toBe('signature');
  });

  test('that is no point on its curve signs nothing', () => {
    const compact = signForeign(ec, foreignClaims());
    const { x = '' } = ec.published;
    for (const point of [
      { x, y: x },
      { x: 'AA', y: 'AA' },
      { x: '', y: '' },
    ]) {
      expect(verdict([{ ...ec.published, ...point }], compact)).toBe('signature');
    }
  });

  test.for([
    ['RS256', 'PS256'],
    ['PS256', 'RS256'],
  ] as const)('signs with %s what says %s, in vain', ([used, said]) => {
    expect(detail(signForeign(rsa, foreignClaims(), { alg: said }, used))).toBe('signature');
  });

  test('of the other type is never tried', () => {
    expect(detail(signForeign(rsa, foreignClaims(), { alg: 'ES256' }))).toBe('unknown_key');
    expect(detail(signForeign(ec, foreignClaims(), { alg: 'RS256' }))).toBe('unknown_key');
    expect(detail(signForeign(rsa, foreignClaims(), { alg: 'ES256', kid: 'ec-1' }))).toBe('signature');
  });

  test('is one of two with the same id, whichever signed', () => {
    const twin = { ...other, published: { ...other.published, kid: 'rsa-1' } };
    const keys = [twin.published, rsa.published];
    expect([verdict(keys), verdict(keys, signForeign(twin, foreignClaims()))]).toEqual([
      'accepted',
      'accepted',
    ]);
  });

  test('is among the first ten that fit', () => {
    const twins = (count: number) =>
      Array.from({ length: count }, () => ({ ...other.published, kid: 'rsa-1' }));
    expect(verdict([...twins(9), rsa.published])).toBe('accepted');
    expect(verdict([...twins(10), rsa.published])).toBe('signature');
    expect(verdict([...twins(10).map((key) => ({ ...key, kid: 'x' })), rsa.published])).toBe('accepted');
  });

  test('is any of the right type where the token names none', () => {
    const nameless = signForeign(rsa, foreignClaims(), { kid: undefined });
    const keys = [ec.published, other.published, omit(rsa.published, 'kid')];
    expect([verdict(keys, nameless), verdict([other.published], nameless)]).toEqual([
      'accepted',
      'signature',
    ]);
  });

  test('that has its private half beside it is read as the public one', () => {
    const { d = '' } = rsa.privateKey.export({ format: 'jwk' });
    expect(verdict(change({ d }))).toBe('accepted');
  });
});

describe('the signature', () => {
  const input = `${headerPart}.${payloadPart}`;
  const zeros = (length: number) => Buffer.alloc(length).toString('base64url');

  test.for([
    ['of another token', withClaims({ sub: 'u-2' }).split('.')[2] ?? ''],
    ['of zeros', zeros(256)],
    ['that is cut', Buffer.from(signaturePart, 'base64url').subarray(0, 255).toString('base64url')],
    ['that is longer', `${signaturePart}AAAA`],
    ['by SHA-512', sign('sha512', Buffer.from(input), rsa.privateKey).toString('base64url')],
    ['by SHA-1', sign('sha1', Buffer.from(input), rsa.privateKey).toString('base64url')],
  ] as const)('%s is refused', ([, signature]) => {
    expect(detail(`${input}.${signature}`)).toBe('signature');
  });

  const ecInput = signForeign(ec, foreignClaims()).split('.').slice(0, 2).join('.');
  const raw = signatureOf(ecInput, 'ES256', ec.privateKey);
  const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
  const number = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');

  test.for<readonly [string, Buffer]>([
    ['as DER', sign('sha256', Buffer.from(ecInput), ec.privateKey)],
    ['of zeros', Buffer.alloc(64)],
    ['of 63 bytes', raw.subarray(0, 63)],
    ['of 65 bytes', Buffer.concat([raw, Buffer.alloc(1)])],
    [
      'of 96 bytes',
      Buffer.concat([Buffer.alloc(16), raw.subarray(0, 32), Buffer.alloc(16), raw.subarray(32)]),
    ],
    ['with r of zero', Buffer.concat([number(0n), raw.subarray(32)])],
    ['with s of zero', Buffer.concat([raw.subarray(0, 32), number(0n)])],
    ['with r and s of the order', Buffer.concat([number(order), number(order)])],
    ['with r of one and s of one', Buffer.concat([number(1n), number(1n)])],
    ['with its halves exchanged', Buffer.concat([raw.subarray(32), raw.subarray(0, 32)])],
  ])('on a curve %s is refused', ([, signature]) => {
    expect(detail(`${ecInput}.${signature.toString('base64url')}`)).toBe('signature');
    expect(detail(`${ecInput}.${raw.toString('base64url')}`)).toBe('accepted');
  });

  test.for([0, 20, 33, 222])('of PSS with a salt of %d bytes is refused', (saltLength) => {
    const pss = signForeign(rsa, foreignClaims(), {}, 'PS256').split('.').slice(0, 2).join('.');
    const signature = sign('sha256', Buffer.from(pss), { key: rsa.privateKey, padding: 6, saltLength });
    expect(detail(`${pss}.${signature.toString('base64url')}`)).toBe('signature');
  });

  test.for(['HS256', 'RS256'])('made with the public key as a secret is refused as %s', (alg) => {
    const key = createPublicKey({ key: { ...rsa.published }, format: 'jwk' });
    const secrets = [
      key.export({ type: 'spki', format: 'pem' }),
      key.export({ type: 'pkcs1', format: 'pem' }),
      key.export({ type: 'spki', format: 'der' }),
      rsa.published['n'] ?? '',
      '',
    ];
    const header = Buffer.from(JSON.stringify({ alg, typ: 'JWT', kid: 'rsa-1' })).toString('base64url');
    for (const secret of secrets) {
      const mac = createHmac('sha256', secret).update(`${header}.${payloadPart}`).digest('base64url');
      expect(detail(`${header}.${payloadPart}.${mac}`)).toBe(alg === 'RS256' ? 'signature' : 'header');
    }
  });
});

describe('the spelling', () => {
  test.for([
    ['padding', `${honest}==`],
    ['a line feed behind', `${honest}\n`],
    ['a space before', ` ${honest}`],
    ['the other alphabet', honest.replaceAll('-', '+').replaceAll('_', '/')],
    ['five parts', `${honest}.a.b`],
    ['no signature', `${headerPart}.${payloadPart}.`],
    ['no payload', `${headerPart}..${signaturePart}`],
    ['nothing', ''],
    ['JSON', JSON.stringify({ protected: headerPart, payload: payloadPart, signature: signaturePart })],
  ] as const)('with %s is refused', ([, token]) => {
    expect(detail(token)).toBe('not_a_compact_jws');
    expect(readForeignHeader(token)).toBe(undefined);
  });

  test('of the last character is the only one', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const accepted = Array.from(alphabet, (last) => honest.slice(0, -1) + last).filter(
      (token) => detail(token) === 'accepted',
    );
    expect(accepted).toEqual([honest]);
  });
});

describe('claims', () => {
  test.for([
    undefined,
    null,
    '',
    7,
    [FOREIGN_ISSUER],
    `${FOREIGN_ISSUER}/`,
    FOREIGN_ISSUER.toUpperCase(),
    'https://rival.example.com',
  ])('with the issuer %j are refused', (iss) => {
    expect(detail(withClaims({ iss }))).toBe('issuer');
  });

  test.for([
    undefined,
    null,
    '',
    'sallyport ',
    'SALLYPORT',
    'other',
    [],
    ['other'],
    ['sallyport', 7],
    [['sallyport']],
    { sallyport: true },
  ])('with the audience %j are refused', (aud) => {
    expect(detail(withClaims({ aud }))).toBe('audience');
  });

  test.for([
    ['sallyport', 'accepted'],
    [['sallyport'], 'accepted'],
    [['sallyport', 'sallyport'], 'audience'],
    [['sallyport', 'other'], 'audience'],
    [[], 'audience'],
    [undefined, 'audience'],
  ] as const)('with the audience %j, where it must be the only one: %s', ([aud, result]) => {
    expect(detail(withClaims({ aud }), { soleAudience: true })).toBe(result);
  });

  test('may be for anybody where no audience is asked for', () => {
    for (const aud of [undefined, 'other', ['a', 'b']]) {
      expect(detail(withClaims({ aud }), { audiences: [] })).toBe('accepted');
    }
  });

  const lexemes = [
    'null',
    'true',
    `"${NOW_SECONDS}"`,
    '1.8e9',
    '1800000300.5',
    '-1',
    '-0',
    '1e400',
    '[1]',
    '{}',
  ];
  test.for(['exp', 'iat', 'nbf'].flatMap((name) => lexemes.map((lexeme) => [name, lexeme] as const)))(
    'with `%s` as %s are refused',
    ([name, lexeme]) => {
      const claims = JSON.stringify(foreignClaims({ [name]: '@' })).replace('"@"', lexeme);
      expect(detail(signForeign(rsa, claims))).toBe('claims');
    },
  );

  test('without `exp` are refused, and without `iat` where a lifetime is capped', () => {
    expect(detail(withClaims({ exp: undefined }), { maxLifetimeSeconds: undefined })).toBe('claims');
    expect(detail(withClaims({ iat: undefined }))).toBe('claims');
  });

  test.for([
    ['a duplicate', payloadText.replace('"sub"', '"sub":"admin","sub"')],
    ['a duplicate by escape', payloadText.replace('"sub"', '"s\\u0075b":"admin","sub"')],
    ['a later duplicate', payloadText.replace(/\}$/, ',"iss":"https://rival.example.com"}')],
    ['a case variant', payloadText.replace('"sub"', '"Sub":"admin","sub"')],
    ['a byte order mark', `\uFEFF${payloadText}`],
    ['a second document', payloadText + payloadText],
    ['an array', `[${payloadText}]`],
    ['no JSON', 'claims'],
  ] as const)('that are %s are refused', ([, text]) => {
    expect(detail(signForeign(rsa, text))).toBe('claims');
  });

  test('that are no UTF-8 are refused', () => {
    const bytes = Buffer.from(JSON.stringify(foreignClaims({ sub: 'a@b' })));
    bytes[bytes.indexOf('@')] = 0xff;
    expect(detail(signForeign(rsa, bytes))).toBe('claims');
  });
});

describe('time', () => {
  test.for([
    [3600, 'accepted'],
    [3601, 'lifetime'],
    [0, 'lifetime'],
    [-1, 'lifetime'],
  ] as const)('a life of %d s, of 3600 s: %s', ([life, result]) => {
    expect(detail(withClaims({ exp: NOW_SECONDS + life }))).toBe(result);
  });

  test('no life is too long where none is asked for', () => {
    const changes = { exp: NOW_SECONDS + 315_360_000 };
    expect(detail(withClaims(changes), { maxLifetimeSeconds: undefined })).toBe('accepted');
  });

  test.for([
    [359, 'accepted'],
    [360, 'expired'],
    [361, 'expired'],
  ] as const)('%d s after it was issued for 300 s: %s', ([later, result]) => {
    expect(detail(honest, { nowSeconds: NOW_SECONDS + later })).toBe(result);
  });

  test.for(
    ['iat', 'nbf'].flatMap(
      (name) =>
        [
          [name, 60, 'accepted'],
          [name, 61, 'not_yet_valid'],
        ] as const,
    ),
  )('`%s` %d s in the future: %s', ([name, ahead, result]) => {
    expect(detail(withClaims({ [name]: NOW_SECONDS + ahead }))).toBe(result);
  });
});

describe('laws', () => {
  test('one changed character is refused, wherever it is', () => {
    const tokens = [honest, signForeign(ec, foreignClaims()), signForeign(rsa, foreignClaims(), {}, 'PS256')];
    const characters = fc.oneof(fc.constantFrom(...'ABCyz019-_.=+/ \n\0é'), fc.string({ maxLength: 1 }));
    const accepted: string[] = [];
    fc.assert(
      fc.property(
        fc.constantFrom(...tokens),
        fc.nat(honest.length - 1),
        characters,
        (token, at, character) => {
          const changed = token.slice(0, at) + character + token.slice(at + 1);
          if (changed !== token && detail(changed) === 'accepted') accepted.push(changed);
        },
      ),
      { numRuns: 3_000 },
    );
    expect(accepted).toEqual([]);
  });

  test('no text makes it throw, and no key does', () => {
    const part = fc.oneof(fc.string(), fc.base64String(), fc.constant(headerPart), fc.constant(payloadPart));
    const key = fc.dictionary(
      fc.constantFrom('kty', 'kid', 'alg', 'use', 'crv', 'x', 'y', 'n', 'e', 'd'),
      fc.constantFrom('RSA', 'EC', 'rsa-1', 'P-256', 'RS256', 'AQAB', '', '!', 'sig'),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), fc.array(key, { maxLength: 3 }), (parts, keys) => {
        expect(detail(parts.join('.'), {}, keys)).not.toBe('accepted');
        expect(detail(honest, {}, keys)).not.toBe('accepted');
      }),
      { numRuns: 1_000 },
    );
  });

  test('what is accepted, an independent verifier accepts too', async () => {
    const time = fc.integer({ min: NOW_SECONDS - 400, max: NOW_SECONDS + 100 });
    const maybe = <T>(value: fc.Arbitrary<T>) => fc.oneof({ weight: 8, arbitrary: value }, fc.anything());
    const claims = fc.record(
      {
        iat: maybe(time),
        exp: maybe(time.map((start) => start + 330)),
        nbf: maybe(time),
        aud: maybe(fc.constantFrom('sallyport', ['sallyport'], ['x', 'sallyport'], 'x')),
        iss: maybe(fc.constant(FOREIGN_ISSUER)),
      },
      { requiredKeys: ['exp', 'aud', 'iss'] },
    );
    const damage = fc.constantFrom<Changes>({ kid: 'x' }, { kid: 'ec-1' }, { crit: ['exp'] }, { b64: false });
    const header = fc
      .tuple(
        maybe(fc.constantFrom('JWT', 'jwt', 'application/jwt', 'at+jwt')),
        fc.oneof({ weight: 8, arbitrary: fc.constant({}) }, damage),
      )
      .map(([typ, changes]): Changes => ({ typ, ...changes }));
    const signers: readonly (readonly [string, ForeignTestKey])[] = [
      ['RS256', rsa],
      ['PS256', rsa],
      ['ES256', ec],
    ];
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(
        claims,
        header,
        fc.constantFrom(...signers),
        async (changes, members, [algorithm, signer]) => {
          const payload = { ...foreignClaims(), iat: undefined, ...changes };
          const compact = signForeign(signer, payload, members, algorithm);
          const ours = verifyForeignToken(compact, published, { ...RULE, maxLifetimeSeconds: undefined });
          if (!ours.ok) return;
          accepted += 1;
          const jwk: JWK = { ...signer.published };
          const theirs = await jwtVerify(compact, createPublicKey({ key: jwk, format: 'jwk' }), {
            algorithms: ['RS256', 'PS256', 'ES256'],
            typ: 'jwt',
            issuer: FOREIGN_ISSUER,
            audience: 'sallyport',
            clockTolerance: 60,
            currentDate: new Date(NOW_SECONDS * 1000),
            requiredClaims: ['exp', 'iss', 'aud'],
          });
          expect(theirs.payload.sub).toBe(stringMember(ours.value, 'sub'));
          expect(theirs.protectedHeader.kid).toBe(signer.published['kid']);
        },
      ),
      { numRuns: 1_500, seed: 11 },
    );
    expect(accepted).toBeGreaterThan(150);
  });
});

function omit(key: ForeignKey, name: string): ForeignKey {
  return Object.fromEntries(Object.entries(key).filter(([member]) => member !== name));
}
