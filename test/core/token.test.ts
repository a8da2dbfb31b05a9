import { createHmac, createPublicKey, sign } from 'node:crypto';
import fc from 'fast-check';
import { jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { KeySet } from '../../functions/core/signed-token.ts';
import { type Claims, VerifiedToken } from '../../functions/core/token.ts';
import { type Changes, makeKey, NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';

const issuer = new TestIssuer();
const stranger = makeKey('access');
const { keyId } = issuer.access.published;
const honest = issuer.accessToken({ scope: 'a/read b/execute', groups: ['g'] });
const [headerPart = '', payloadPart = '', signaturePart = ''] = honest.split('.');

function detail(compact: string, nowSeconds?: number): string {
  const verified = issuer.verify(compact, nowSeconds);
  return verified.ok ? 'accepted' : verified.error.detail;
}

describe('an honest token', () => {
  test('gives exactly its claims', () => {
    const token = issuer.verified({ scope: 'a/read b/execute', groups: ['g'], namespace: 'n', extra: 1 });
    expect(token.claims).toMatchObject({
      issuer: ORIGIN,
      subject: 'courier',
      audience: ORIGIN,
      clientId: 'courier',
      orgId: 'acme',
      scopes: ['a/read', 'b/execute'],
      groups: ['g'],
      issuedAtSeconds: NOW_SECONDS,
      expiresAtSeconds: NOW_SECONDS + 300,
      jti: 'j-1',
      actors: [],
      standing: 'session',
      namespace: 'n',
      scopeFilters: undefined,
    } satisfies Claims);
    expect(token.kind).toBe('access');
  });

  test.for([
    [NOW_SECONDS - 400, NOW_SECONDS - 400],
    [NOW_SECONDS + 400, NOW_SECONDS],
  ])('is as old as the token that it was minted from, and lives as long: %d', ([parent, issuedAtSeconds]) => {
    const verified = issuer.verify(issuer.identityToken({ parent_iat: parent }), NOW_SECONDS, 'identity');
    expect(verified.ok && verified.value.claims.issuedAtSeconds).toBe(issuedAtSeconds);
  });

  test('names those who act for its subject, the present one first', () => {
    const act = { sub: 'a', act: { sub: 'b', act: { sub: 'c', act: { sub: 'd' } } } };
    expect(issuer.verified({ act }).claims.actors).toEqual(['a', 'b', 'c', 'd']);
  });

  test('may have no scopes at all', () => {
    expect(issuer.verified({ scope: '' }).claims.scopes).toEqual([]);
  });

  test.for([
    ['lives 900 s', { exp: NOW_SECONDS + 900 }],
    ['says what kind it is', { token_kind: 'access' }],
    ['has typed optional claims', { teams: ['t'], act: { sub: 'x' }, auth_time: 1, nbf: NOW_SECONDS - 1 }],
    ['has claims that nobody knows', { 'https://example.com/x': { y: [1.5] } }],
    ['has empty groups', { groups: [] }],
  ] as const)('is accepted where it %s', ([, changes]) => {
    expect(detail(issuer.accessToken(changes))).toBe('accepted');
  });

  test.for<readonly [Changes, string]>([
    [{ token_kind: 'counted', max_uses: 1 }, 'accepted'],
    [{ token_kind: 'counted', max_uses: 0 }, 'claims'],
    [{ token_kind: 'counted', max_uses: 1.5 }, 'claims'],
    [{ token_kind: 'counted', max_uses: '1' }, 'claims'],
    [{ token_kind: 'counted' }, 'claims'],
    [{ max_uses: 1 }, 'claims'],
  ])('is counted where it says how often it may be used, and only there: %j is %s', ([changes, expected]) => {
    expect(detail(issuer.accessToken(changes))).toBe(expected);
  });

  test('is meant for its audience alone, byte for byte', () => {
    const token = issuer.verified({ aud: `${ORIGIN}/maps/mcp` });
    expect(token.admits([`${ORIGIN}/maps/mcp`, ORIGIN])).toBe(true);
    for (const other of [ORIGIN, `${ORIGIN}/maps/mcp/`, `${ORIGIN}/MAPS/mcp`, `${ORIGIN}/maps/mcpx`, '']) {
      expect(token.admits([other])).toBe(false);
    }
    expect(token.admits([])).toBe(false);
  });
});

describe('the header is exactly `alg`, `typ` and `kid`', () => {
  const withHeader = (text: string) => issuer.sign(text, issuer.claims());
  test.for<readonly [string, Changes]>([
    ['`alg` none', { alg: 'none' }],
    ['`alg` in lower case', { alg: 'rs256' }],
    ['another RSA algorithm', { alg: 'RS512' }],
    ['PSS', { alg: 'PS256' }],
    ['`alg` as a list', { alg: ['RS256'] }],
    ['no `alg`', { alg: undefined }],
    ['`typ` JWT', { typ: 'JWT' }],
    ['`typ` in capitals', { typ: 'AT+JWT' }],
    ['`typ` as a media type', { typ: 'application/at+jwt' }],
    ['no `typ`', { typ: undefined }],
    ['no `kid`', { kid: undefined }],
    ['`kid` as a number', { kid: 1 }],
    ['`kid` null', { kid: null }],
    ['`jku`', { jku: 'https://evil.example.com/jwks.json' }],
    ['`jwk`', { jwk: { kty: 'RSA', n: stranger.published.n, e: stranger.published.e } }],
    ['`x5u`', { x5u: 'https://evil.example.com/cert' }],
    ['`x5c`', { x5c: ['MIIB'] }],
    ['`crit` empty', { crit: [] }],
    ['`crit`', { crit: ['exp'], exp: 1 }],
    ['`b64`', { b64: false, crit: ['b64'] }],
    ['`cty`', { cty: 'JWT' }],
    ['`zip`', { zip: 'DEF' }],
    ['`__proto__`', JSON.parse('{"__proto__":{"x":1}}')],
  ])('%s is refused', ([, changes]) => {
    expect(detail(withHeader(issuer.header(changes)))).toBe('header');
  });

  test.for([
    ['an array', `["RS256","at+jwt","${keyId}"]`],
    ['a duplicate `alg`', `{"alg":"none","alg":"RS256","typ":"at+jwt","kid":"${keyId}"}`],
    ['a duplicate `kid`', `{"alg":"RS256","typ":"at+jwt","kid":"x","kid":"${keyId}"}`],
    ['a case variant', `{"alg":"RS256","ALG":"none","typ":"at+jwt","kid":"${keyId}"}`],
    ['a byte order mark', `\uFEFF{"alg":"RS256","typ":"at+jwt","kid":"${keyId}"}`],
    ['bytes after it', `{"alg":"RS256","typ":"at+jwt","kid":"${keyId}"}x`],
    ['no JSON', 'RS256'],
  ] as const)('%s is refused', ([, text]) => {
    expect(detail(withHeader(text))).toBe('header');
  });

  test('bytes that are no UTF-8 are refused', () => {
    const header = Buffer.concat([
      Buffer.from(issuer.header().slice(0, -2)),
      Buffer.from([0xff, 0x22, 0x7d]),
    ]);
    expect(detail(issuer.sign(header, issuer.claims()))).toBe('header');
  });
});

describe('the key', () => {
  test('that is unknown is named, so that a store may look again', () => {
    const token = issuer.sign(issuer.header({}, stranger), issuer.claims(), stranger);
    expect(issuer.verify(token)).toEqual({
      ok: false,
      error: { reason: 'bad_token', detail: 'unknown_key', missingKeyId: stranger.published.keyId },
    });
  });

  test.for(['', '../../etc/passwd', 'https://evil.example.com/key', '__proto__', 'constructor', `${keyId} `])(
    'is looked up and never followed: %s',
    (kid) => {
      expect(detail(issuer.accessToken({}, { kid }))).toBe('unknown_key');
    },
  );

  test('of an identity token signs no access token, and is not asked for again', () => {
    const token = issuer.sign(
      issuer.header({ kid: issuer.identity.published.keyId }),
      issuer.claims(),
      issuer.identity,
    );
    expect(issuer.verify(token)).toEqual({
      ok: false,
      error: { reason: 'bad_token', detail: 'unknown_key' },
    });
  });

  test('of an access token signs no identity token', () => {
    const token = issuer.sign(issuer.header({ typ: 'JWT' }), issuer.claims({ token_kind: 'identity' }));
    expect(issuer.verify(token, NOW_SECONDS, 'identity')).toMatchObject({ error: { detail: 'unknown_key' } });
  });

  test('is not one whose id is merely claimed', () => {
    expect(detail(issuer.sign(issuer.header(), issuer.claims(), stranger))).toBe('signature');
  });
});

describe('the signature', () => {
  const input = `${headerPart}.${payloadPart}`;

  test.for([
    ['of another token', issuer.accessToken({ jti: 'j-2' }).split('.')[2] ?? ''],
    ['that is cut', Buffer.from(signaturePart, 'base64url').subarray(0, 255).toString('base64url')],
    ['that is longer', `${signaturePart}AAAA`],
    ['of zeros', Buffer.alloc(256).toString('base64url')],
    ['by SHA-512', sign('RSA-SHA512', Buffer.from(input), issuer.access.privateKey).toString('base64url')],
    [
      'with PSS padding',
      sign('RSA-SHA256', Buffer.from(input), {
        key: issuer.access.privateKey,
        padding: 6,
        saltLength: 32,
      }).toString('base64url'),
    ],
  ] as const)('%s is refused', ([, signature]) => {
    expect(detail(`${input}.${signature}`)).toBe('signature');
  });

  test.for(['HS256', 'HS384', 'HS512'])('made by %s with the public key as the secret is refused', (alg) => {
    const { n, e } = issuer.access.published;
    const published = createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' });
    const secrets = [
      published.export({ type: 'spki', format: 'pem' }),
      published.export({ type: 'pkcs1', format: 'pem' }),
      published.export({ type: 'spki', format: 'der' }),
      Buffer.from(n, 'base64url'),
      Buffer.from(n),
    ];
    for (const secret of secrets) {
      for (const claimed of [alg, 'RS256']) {
        const forged = `${Buffer.from(issuer.header({ alg: claimed })).toString('base64url')}.${payloadPart}`;
        const mac = createHmac(`sha${alg.slice(2)}`, secret)
          .update(forged)
          .digest('base64url');
        expect(detail(`${forged}.${mac}`)).toBe(claimed === 'RS256' ? 'signature' : 'header');
      }
    }
  });

  test('does not fit other claims', () => {
    const payload = Buffer.from(issuer.claims({ scope: 'admin' })).toString('base64url');
    expect(detail(`${headerPart}.${payload}.${signaturePart}`)).toBe('signature');
  });
});

describe('one token has one spelling', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

  test('the other last characters that decode to the same signature are refused', () => {
    const accepted = Array.from(alphabet, (last) => honest.slice(0, -1) + last).filter(
      (token) => detail(token) === 'accepted',
    );
    expect(accepted).toEqual([honest]);
  });

  test.for([
    ['padding', `${honest}==`],
    ['padding in the middle', `${headerPart}=.${payloadPart}.${signaturePart}`],
    ['a trailing line feed', `${honest}\n`],
    ['a trailing space', `${honest} `],
    ['a leading space', ` ${honest}`],
    [
      'white space inside',
      `${headerPart}.${payloadPart}.${signaturePart.slice(0, 9)}\n${signaturePart.slice(9)}`,
    ],
    ['the other Base64 alphabet', honest.replaceAll('-', '+').replaceAll('_', '/')],
    ['a dot too many', `${honest}.`],
    ['five parts', `${honest}.a.b`],
    ['two parts', `${headerPart}.${payloadPart}`],
    ['no signature', `${headerPart}.${payloadPart}.`],
    ['no payload', `${headerPart}..${signaturePart}`],
    ['nothing', ''],
    ['a scheme', `Bearer ${honest}`],
    [
      'JSON serialisation',
      JSON.stringify({ protected: headerPart, payload: payloadPart, signature: signaturePart }),
    ],
    ['a NUL', `${honest}\0`],
    ['a letter that looks alike', honest.replace('e', 'е')],
  ] as const)('%s is refused', ([, token]) => {
    expect(token).not.toBe(honest);
    expect(detail(token)).toBe('not_a_compact_jws');
  });

  test('a segment of a length that no bytes have is refused', () => {
    expect(detail(`${headerPart}A.${payloadPart}.${signaturePart}`)).toMatch(/not_canonical|header/);
    expect(detail(`${headerPart}.${payloadPart}.A`)).toBe('not_canonical');
  });

  test('8,192 bytes are the most', () => {
    const ofLength = (target: number) => {
      const base = issuer.accessToken({ pad: '' }).length;
      const pad = Math.floor(((target - base) * 3) / 4);
      return [pad - 2, pad - 1, pad, pad + 1, pad + 2]
        .map((length) => issuer.accessToken({ pad: 'x'.repeat(length) }))
        .filter((token) => token.length <= target)
        .reduce((longest, token) => (token.length > longest.length ? token : longest));
    };
    const largest = ofLength(8192);
    expect(largest.length).toBeGreaterThan(8188);
    expect(detail(largest)).toBe('accepted');
    const larger = ofLength(8196);
    expect(larger.length).toBeGreaterThan(8192);
    expect(detail(larger)).toBe('not_a_compact_jws');
    expect(detail('a'.repeat(10_000_000))).toBe('not_a_compact_jws');
  });
});

describe('claims are all there and typed', () => {
  const textClaims = ['iss', 'sub', 'aud', 'client_id', 'org_id', 'jti'];
  const bad = textClaims.flatMap((name) =>
    [undefined, null, '', 1, true, ['x'], { x: 1 }].map((value) => [name, value] as const),
  );
  test.for(bad)('`%s` as %j is refused', ([name, value]) => {
    expect(detail(issuer.accessToken({ [name]: value }))).toBe('claims');
  });

  test.for([
    ['scope', undefined],
    ['scope', null],
    ['scope', ['a/read']],
    ['scope', ' '],
    ['scope', 'a/read '],
    ['scope', ' a/read'],
    ['scope', 'a/read  b/read'],
    ['scope', 'a\tb'],
    ['scope', 'a\nb'],
    ['scope', 'a"b'],
    ['scope', 'a\\b'],
    ['scope', 'ä/read'],
    ['aud', [ORIGIN]],
    ['aud', [ORIGIN, 'https://other.example.com']],
    ['groups', 'admins'],
    ['groups', null],
    ['groups', [1]],
    ['groups', ['a', null]],
    ['groups', { 0: 'admins' }],
    ['token_kind', 'identity'],
    ['token_kind', 'run'],
    ['token_kind', 'resource'],
    ['token_kind', null],
    ['token_kind', ''],
    ['teams', 'all'],
    ['teams', null],
    ['act', 'someone'],
    ['act', ['someone']],
    ['act', {}],
    ['act', { sub: '' }],
    ['act', { sub: 1 }],
    ['act', { sub: 'x'.repeat(256) }],
    ['act', { sub: 'a', act: 'b' }],
    ['act', { sub: 'a', act: null }],
    ['act', { sub: 'a', act: { sub: 'b', act: { sub: 'c', act: { sub: 'd', act: { sub: 'e' } } } } }],
    ['auth_time', '1'],
    ['auth_time', 1.5],
    ['parent_iat', `${NOW_SECONDS}`],
    ['parent_iat', null],
    ['parent_iat', 1.5],
    ['nbf', 'now'],
    ['nbf', null],
    ['nbf', -1],
    ['cnf', { jkt: 'x' }],
    ['cnf', null],
  ] as const)('`%s` as %j is refused', ([name, value]) => {
    expect(detail(issuer.accessToken({ [name]: value }))).toBe('claims');
  });

  test.for(['sub', 'client_id', 'org_id', 'jti'])('`%s` has 255 characters at most', (name) => {
    expect(detail(issuer.accessToken({ [name]: 'x'.repeat(255) }))).toBe('accepted');
    expect(detail(issuer.accessToken({ [name]: 'x'.repeat(256) }))).toBe('claims');
  });

  const times = [
    'null',
    'true',
    `"${NOW_SECONDS}"`,
    `${NOW_SECONDS}.0`,
    `${NOW_SECONDS}.5`,
    '1.8e9',
    '18e8',
    '1e400',
    '-1',
    '-0',
    `-${NOW_SECONDS}`,
    '1000000000000',
    '99999999999999999999',
    '[1800000000]',
    '{}',
  ];
  test.for(['exp', 'iat', 'nbf'].flatMap((name) => times.map((lexeme) => [name, lexeme] as const)))(
    '`%s` as %s is refused',
    ([name, lexeme]) => {
      const claims = issuer.claims({ [name]: '@' }).replace('"@"', lexeme);
      expect(detail(issuer.sign(issuer.header(), claims))).toBe('claims');
    },
  );

  test.for(['exp', 'iat'])('`%s` is required', (name) => {
    expect(detail(issuer.accessToken({ [name]: undefined }))).toBe('claims');
  });

  test.for([
    ['a duplicate', (text: string) => text.replace('"sub"', '"sub":"admin","sub"')],
    ['a duplicate by escape', (text: string) => text.replace('"sub"', '"s\\u0075b":"admin","sub"')],
    ['a later duplicate', (text: string) => text.replace(/\}$/, ',"org_id":"rival"}')],
    ['a case variant', (text: string) => text.replace('"sub"', '"SUB":"admin","sub"')],
    ['a long s', (text: string) => text.replace('"sub"', '"\u017fub":"admin","sub"')],
    ['a byte order mark', (text: string) => `\uFEFF${text}`],
    ['a second document', (text: string) => text + text],
    ['an array', (text: string) => `[${text}]`],
    ['no JSON', () => 'claims'],
    [
      'nesting without end',
      (text: string) => text.replace(/\}$/, `,"x":${'['.repeat(65)}${']'.repeat(65)}}`),
    ],
  ] as const)('%s is refused', ([, change]) => {
    expect(detail(issuer.sign(issuer.header(), change(issuer.claims())))).toBe('claims');
  });

  test('bytes that are no UTF-8 are refused', () => {
    const payload = Buffer.from(issuer.claims({ sub: 'a@b' }));
    payload[payload.indexOf('@')] = 0xff;
    expect(detail(issuer.sign(issuer.header(), payload))).toBe('claims');
  });
});

describe('issuer, lifetime and clock', () => {
  test.for([
    `${ORIGIN}/`,
    'https://GATE.example.com',
    'http://gate.example.com',
    'https://rival.example.com',
    ' ',
  ])('another issuer is refused: %s', (iss) => {
    expect(detail(issuer.accessToken({ iss }))).toBe('issuer');
  });

  test.for([
    ['901 s', { exp: NOW_SECONDS + 901 }, 'lifetime'],
    ['ten years', { exp: NOW_SECONDS + 315_360_000 }, 'lifetime'],
    ['no time', { exp: NOW_SECONDS }, 'lifetime'],
    ['less than no time', { exp: NOW_SECONDS - 1 }, 'lifetime'],
  ] as const)('a life of %s is refused', ([, changes, why]) => {
    expect(detail(issuer.accessToken(changes))).toBe(why);
  });

  test('a life cannot be had by dating the token back', () => {
    const token = issuer.accessToken({ iat: NOW_SECONDS - 600, exp: NOW_SECONDS + 301 });
    expect(detail(token)).toBe('lifetime');
  });

  test.for([
    [4, 'accepted'],
    [5, 'accepted'],
    [6, 'not_yet_valid'],
    [600, 'not_yet_valid'],
  ] as const)('issued %d s in the future: %s', ([ahead, result]) => {
    const iat = NOW_SECONDS + ahead;
    expect(detail(issuer.accessToken({ iat, exp: iat + 300 }))).toBe(result);
  });

  test.for([
    [5, 'accepted'],
    [6, 'not_yet_valid'],
  ] as const)('`nbf` %d s in the future: %s', ([ahead, result]) => {
    expect(detail(issuer.accessToken({ nbf: NOW_SECONDS + ahead }))).toBe(result);
  });

  test('an early `nbf` does not excuse a future `iat`', () => {
    const changes = { iat: NOW_SECONDS + 60, exp: NOW_SECONDS + 300, nbf: 0 };
    expect(detail(issuer.accessToken(changes))).toBe('not_yet_valid');
  });

  test.for([
    [299, 'accepted'],
    [300, 'accepted'],
    [304, 'accepted'],
    [305, 'expired'],
    [306, 'expired'],
    [86_400, 'expired'],
  ] as const)('%d s after it was issued for 300 s: %s', ([later, result]) => {
    expect(detail(honest, NOW_SECONDS + later)).toBe(result);
  });

  test('a remembered token expires at the same second', () => {
    const token = issuer.verified();
    expect(token.isExpired(NOW_SECONDS + 304)).toBe(false);
    expect(token.isExpired(NOW_SECONDS + 305)).toBe(true);
  });
});

describe('an identity token', () => {
  const kind = (compact: string) => {
    const verified = issuer.verify(compact, NOW_SECONDS, 'identity');
    return verified.ok ? 'accepted' : verified.error.detail;
  };

  test('is accepted as one, and never as an access token', () => {
    expect(kind(issuer.identityToken())).toBe('accepted');
    expect(detail(issuer.identityToken())).toBe('header');
    expect(detail(issuer.identityToken({}, { typ: 'at+jwt' }))).toBe('unknown_key');
  });

  test('is no access token', () => {
    expect(kind(issuer.accessToken())).toBe('header');
  });

  test.for([
    ['without its kind', { token_kind: undefined }, 'claims'],
    ['of kind access', { token_kind: 'access' }, 'claims'],
    ['of kind run', { token_kind: 'run' }, 'claims'],
    ['that lives 301 s', { exp: NOW_SECONDS + 301 }, 'lifetime'],
  ] as const)('%s is refused', ([, changes, why]) => {
    expect(kind(issuer.identityToken(changes))).toBe(why);
  });
});

describe('laws', () => {
  test('one changed character is refused, wherever it is', () => {
    const characters = fc.oneof(
      fc.constantFrom(...'ABCyz019-_.=+/ \n\0é'),
      fc.string({ minLength: 1, maxLength: 1 }),
    );
    const accepted: string[] = [];
    fc.assert(
      fc.property(fc.nat(honest.length - 1), characters, (at, character) => {
        const changed = honest.slice(0, at) + character + honest.slice(at + 1);
        if (changed !== honest && detail(changed) === 'accepted') accepted.push(changed);
      }),
      { numRuns: 3_000 },
    );
    expect(accepted).toEqual([]);
  });

  test('one character more or less is refused', () => {
    for (let at = 0; at <= honest.length; at += 1) {
      expect(detail(`${honest.slice(0, at)}A${honest.slice(at)}`)).not.toBe('accepted');
      if (at > 0) expect(detail(honest.slice(0, at - 1) + honest.slice(at))).not.toBe('accepted');
    }
  });

  test('what is accepted, an independent verifier accepts too', async () => {
    const { n, e } = issuer.access.published;
    const key = createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' });
    const seconds = fc.integer({ min: NOW_SECONDS - 320, max: NOW_SECONDS + 8 });
    const claims = fc.record({
      iat: seconds,
      exp: seconds.map((start) => start + 314),
      nbf: fc.option(seconds, { nil: undefined }),
      scope: fc.constantFrom('', 'a', 'a b'),
      sub: fc.string(),
    });
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(claims, async (changes) => {
        const compact = issuer.accessToken(changes);
        const ours = issuer.verify(compact);
        if (!ours.ok) return;
        accepted += 1;
        const theirs = await jwtVerify(compact, key, {
          algorithms: ['RS256'],
          typ: 'at+jwt',
          issuer: ORIGIN,
          audience: ORIGIN,
          clockTolerance: 5,
          currentDate: new Date(NOW_SECONDS * 1000),
          requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id', 'org_id', 'scope'],
        });
        expect(theirs.payload.sub).toBe(ours.value.claims.subject);
        expect(theirs.payload.exp).toBe(ours.value.claims.expiresAtSeconds);
      }),
      { numRuns: 400, seed: 7 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  test('no text makes it throw', () => {
    const part = fc.oneof(fc.string(), fc.base64String(), fc.constant(headerPart), fc.constant(payloadPart));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
        expect(detail(parts.join('.'))).not.toBe('accepted');
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a verified token cannot be forged', () => {
  test('only one that was verified is one', () => {
    const token = issuer.verified();
    expect(VerifiedToken.is(token)).toBe(true);
    const forgeries = [
      { claims: token.claims, kind: 'access' },
      { ...token },
      structuredClone({ claims: token.claims }),
      Object.create(VerifiedToken.prototype, { claims: { value: token.claims } }),
      Object.create(token),
      new Proxy(token, {}),
      VerifiedToken.prototype,
      null,
      undefined,
      'token',
      () => {},
    ];
    expect(forgeries.map((forgery) => VerifiedToken.is(forgery))).toEqual(forgeries.map(() => false));
  });

  test('a literal does not compile, and neither does the constructor', () => {
    const { claims } = issuer.verified();
    const compiled = () => {
      // @ts-expect-error: a literal has no private member
      const literal: VerifiedToken = { claims, kind: 'access', isExpired: () => false, admits: () => true };
      // @ts-expect-error: the constructor is private
      const made = new VerifiedToken('access', claims);
      return [literal, made];
    };
    expect(compiled).toBeTypeOf('function');
  });
});

test('a key set finds by exact id alone', () => {
  const keys = new KeySet([issuer.access.published]);
  expect(keys.find(keyId)?.purpose).toBe('access');
  for (const other of [keyId.slice(1), keyId.toLowerCase(), '', '__proto__', 'constructor']) {
    expect(keys.find(other)).toBe(undefined);
  }
});
