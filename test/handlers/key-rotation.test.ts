import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Dynamo } from '../../functions/aws/dynamodb.ts';
import { createPolicyStore } from '../../functions/aws/policy-store.ts';
import { JWKS_MAX_AGE_SECONDS } from '../../functions/core/freshness.ts';
import { OVERLAP_SECONDS, retireKey, rotateKey, STANDBY_SECONDS } from '../../functions/core/key-rotation.ts';
import type { RevocationStore, RulebookStore, SigningKey } from '../../functions/core/ports.ts';
import { ok } from '../../functions/core/result.ts';
import { VerifiedRunToken } from '../../functions/core/run-token.ts';
import { type KeyPurpose, KeySet } from '../../functions/core/signed-token.ts';
import { VerifiedToken } from '../../functions/core/token.ts';
import { createIngress, type Ingress } from '../../functions/handlers/ingress.ts';
import { withPublishedKeys } from '../../functions/handlers/issuer-rulebook.ts';
import { interruptible } from '../support/auth-table.ts';
import { NO_FOREIGN_KEYS } from '../support/foreign-issuer.ts';
import {
  type KeyDeployment,
  type KeySettings,
  startKeyDeployment,
  toldKeys,
} from '../support/key-deployment.ts';
import { clientEntry } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN } from '../support/test-issuer.ts';

const SERVER = 'https://fin.internal.example.com/mcp';
const NEVER_REVOKED: RevocationStore = {
  isRevoked: async () => ok(false),
  revoke: async () => ok(undefined),
};

let cloud: KeyDeployment;

beforeEach(async () => {
  cloud = await startKeyDeployment();
  cloud.time.seconds = NOW_SECONDS;
  const empty = { scopes: [], uiScopes: [], groups: [], servers: [], services: [], orgs: [] };
  const snapshot = { format: 1, ...empty, clients: [clientEntry('courier')] } as const;
  const written = await createPolicyStore(cloud.table.dynamo, cloud.table.tableName).write(
    snapshot,
    undefined,
    'dev',
  );
  if (!written.ok) throw new Error("the test's own policy cannot be written");
});

afterEach(() => cloud.close());

type Kind = 'access' | 'run' | 'identity';
type Token = { readonly kind: Kind; readonly compact: string; readonly expiresAtSeconds: number };

const LIFETIMES: Readonly<Record<Kind, number>> = { access: 900, run: 3600, identity: 300 };

/** A token of a kind, signed as the handlers sign: the key that signs now, the claims of this second, then the signature. */
async function issue(kind: Kind, signingKey: SigningKey): Promise<Token | undefined> {
  const key = await signingKey.publicKey();
  return key.ok ? issueWith(kind, signingKey, key.value.keyId) : undefined;
}

/** A token of a kind, signed with a key whatever the ring says of it. */
async function issueWith(kind: Kind, signingKey: SigningKey, keyId: string): Promise<Token | undefined> {
  const iat = cloud.time.seconds;
  const exp = iat + LIFETIMES[kind];
  const header = { alg: 'RS256', typ: kind === 'access' ? 'at+jwt' : 'JWT', kid: keyId };
  const common = { iss: ORIGIN, client_id: 'courier', org_id: 'acme', iat, exp, jti: `j-${kind}-${iat}` };
  const run = { sub: 'run_1', aud: ['context-store'], token_kind: 'run', services: { 'context-store': {} } };
  const claims = {
    access: { ...common, sub: 'courier', aud: ORIGIN, scope: '' },
    identity: { ...common, sub: 'courier', aud: SERVER, scope: '', token_kind: 'identity' },
    run: { ...common, ...run },
  };
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const input = `${encode(header)}.${encode(claims[kind])}`;
  const signature = await signingKey.sign(input, keyId);
  return signature.ok ? { kind, compact: `${input}.${signature.value}`, expiresAtSeconds: exp } : undefined;
}

/** One of those who verify; undefined: it cannot tell now, which is no denial. */
type Verifier = (token: Token) => Promise<'in' | 'refused' | undefined>;

/** A function of ours, with what it remembers of tokens. */
function functionVerifier(rulebook: RulebookStore): Verifier {
  const clock = () => cloud.time.seconds;
  const ingress = createIngress({
    rulebook,
    revocations: NEVER_REVOKED,
    foreignKeys: NO_FOREIGN_KEYS,
    clock,
  });
  return async ({ kind, compact }) => {
    const admitted = await admit(ingress, rulebook, kind, compact);
    if (admitted.ok) return 'in';
    return admitted.error.reason === 'unavailable' ? undefined : 'refused';
  };
}

async function admit(ingress: Ingress, rulebook: RulebookStore, kind: Kind, compact: string) {
  if (kind === 'identity') return ingress.verifyDelegation(compact, SERVER, ORIGIN);
  const headers = new Headers({ authorization: `Bearer ${compact}` });
  if (kind === 'access') return ingress.authenticate(headers, { kind: 'gateway' }, ORIGIN);
  const book = await rulebook.read();
  if (!book.ok) return book;
  return VerifiedRunToken.verify(compact, {
    issuer: ORIGIN,
    keys: book.value.keys,
    nowSeconds: cloud.time.seconds,
  });
}

/** A service somewhere that keeps the JWKS as long as it may and looks at no other time. */
function outsideVerifier(readJwks: () => Promise<KeySet | undefined>): Verifier {
  let held: { readonly keys: KeySet; readonly readAtSeconds: number } | undefined;
  return async ({ kind, compact }) => {
    const nowSeconds = cloud.time.seconds;
    if (held === undefined || nowSeconds - held.readAtSeconds >= JWKS_MAX_AGE_SECONDS) {
      const keys = await readJwks();
      if (keys === undefined) return undefined;
      held = { keys, readAtSeconds: nowSeconds };
    }
    const expected = { issuer: ORIGIN, keys: held.keys, nowSeconds };
    const verified =
      kind === 'run'
        ? VerifiedRunToken.verify(compact, expected)
        : VerifiedToken.verify(compact, { ...expected, kind });
    return verified.ok ? 'in' : 'refused';
  };
}

/** A network between one environment and DynamoDB that fails for up to 14 s at a time, by a fixed pattern. */
function flaky(seed: number): Dynamo {
  const inner = interruptible(cloud.table.dynamo);
  return {
    call(operation, input) {
      inner.isUp = operation === 'PutItem' || (cloud.time.seconds + seed * 13) % 60 >= 14;
      return inner.call(operation, input);
    },
  };
}

/** Everything that runs of one deploy: two issuers, two gateways, and an outside service that asks the first issuer. */
function startEnvironments(settings: KeySettings, seed: number) {
  const issuers = [0, 1].map((index) => cloud.issuer(settings, flaky(seed + index)));
  const gateways = [2, 3].map((index) => cloud.gateway(settings, flaky(seed + index)));
  const [first] = issuers;
  const rulebooks = [
    ...gateways.map(({ rulebook }) => rulebook),
    ...issuers.map(({ keys }) => withPublishedKeys(cloud.gateway(settings).rulebook, keys)),
  ];
  const outside = outsideVerifier(async () => {
    const published = await first?.keys.publish();
    return published?.ok === true ? new KeySet(published.value) : undefined;
  });
  return { issuers, gateways, verifiers: [...rulebooks.map(functionVerifier), outside] };
}

/** What came of it: tokens, verifications, and each that was refused before its time. */
type Tally = { issued: number; verified: number; cannotTell: number; readonly refused: string[] };

/** When a fresh key comes into the slots that were left, while what was signed there is still in use. */
const DEPLOY = 1_000;
/** Rotations at which some signer does not hear of it for seconds, by the pattern of {@link flaky}. The second are as early as may be. */
const FIRST = { access: STANDBY_SECONDS + 33, identity: STANDBY_SECONDS + 55 } as const;
const SECOND = { access: DEPLOY + STANDBY_SECONDS, identity: DEPLOY + STANDBY_SECONDS + 7 } as const;
/** Looked at second by second: rotations, and the ends of the longest tokens that were signed just before them. */
const CLOSE = [FIRST, SECOND].flatMap(({ access, identity }) => [
  access,
  identity,
  access + LIFETIMES.run,
  identity + LIFETIMES.identity,
]);

test('two rotations of each key deny nobody, whoever knows how little: 3 h of tokens in use', async () => {
  const tally: Tally = { issued: 0, verified: 0, cannotTell: 0, refused: [] };
  const settings = await cloud.deploy();
  await cloud.issuer(settings).keys.publish();
  const fleets = [startEnvironments(settings, 1)];
  const live: Token[] = [];
  const events: [number, () => Promise<unknown>][] = [];
  /** The first environment of a deploy publishes; later ones find it done. */
  const deploy = async (slots: string) => {
    const next = await cloud.deploy(slots, slots);
    await cloud.issuer(next).keys.publish();
    return next;
  };
  const rotate = async (purpose: KeyPurpose, name: string) => {
    const ring = await cloud.ring();
    const key = ring.find((one) => one.purpose === purpose && `${one.slot}${one.generation}` === name);
    const changed = await cloud.store.change((newest) =>
      rotateKey(newest, purpose, key?.keyId ?? '', cloud.time.seconds),
    );
    expect(changed).toMatchObject({ ok: true });
  };
  events.push(
    [FIRST.access, () => rotate('access', 'B1')],
    [FIRST.identity, () => rotate('identity', 'B1')],
    [DEPLOY, async () => fleets.push(startEnvironments(await deploy('A2 B1'), 5))],
    [SECOND.access, () => rotate('access', 'A2')],
    [SECOND.identity, () => rotate('identity', 'A2')],
    [6_000, async () => fleets.push(startEnvironments(await deploy('A2 B2'), 9))],
  );
  for (let second = 0; second < 10_800; ) {
    cloud.time.seconds = NOW_SECONDS + second;
    while ((events[0]?.[0] ?? Number.POSITIVE_INFINITY) <= second) await events.shift()?.[1]();
    const fleet = fleets[Math.floor(second / 3) % fleets.length];
    const { issuers = [], gateways = [] } = fleet ?? {};
    const kinds: (readonly [Kind, SigningKey | undefined])[] = [
      ['access', issuers[second % 2]?.signingKey],
      ['identity', gateways[second % 2]?.signingKey],
    ];
    if (second % 3 === 0) kinds.push(['run', issuers[0]?.signingKey]);
    for (const [kind, signingKey] of kinds) {
      const token = signingKey === undefined ? undefined : await issue(kind, signingKey);
      if (token === undefined) continue;
      tally.issued += 1;
      live.push(token);
    }
    await verifySome(
      tally,
      live,
      fleets.flatMap(({ verifiers }) => verifiers),
      second,
    );
    // Second by second around what is looked at closely, and in strides of a prime between.
    const isClose = CLOSE.some((at) => second >= at && second < at + 25);
    const stops = [...events.map(([at]) => at), ...CLOSE].filter((at) => at > second);
    second = isClose ? second + 1 : Math.min(second + 61, ...stops);
  }
  expect(tally.refused).toEqual([]);
  expect(tally.issued).toBeGreaterThan(300);
  expect(tally.verified).toBeGreaterThan(5_000);
  expect(toldKeys(await cloud.ring())).toBe('A1 retired, B1 retired, A2 signing, B2 standby');
}, 120_000);

/** The newest tokens, those that are about to expire, and some between, each at everybody. */
async function verifySome(
  tally: Tally,
  live: Token[],
  verifiers: readonly Verifier[],
  second: number,
): Promise<void> {
  const now = cloud.time.seconds;
  const alive = live.filter(({ expiresAtSeconds }) => expiresAtSeconds > now);
  live.splice(0, live.length, ...alive);
  const byEnd = alive.toSorted((a, b) => a.expiresAtSeconds - b.expiresAtSeconds);
  const chosen = [
    ...alive.slice(-3),
    ...byEnd.slice(0, 3),
    ...alive.filter((_, index) => index % 17 === second % 17),
  ];
  for (const token of new Set(chosen)) {
    for (const [index, verify] of verifiers.entries()) {
      const answer = await verify(token);
      if (answer === 'refused') {
        const left = token.expiresAtSeconds - now;
        tally.refused.push(
          `at ${second} s verifier ${index} refused a ${token.kind} token, ${left} s before its end`,
        );
      } else if (answer === 'in') tally.verified += 1;
      else tally.cannotTell += 1;
    }
  }
}

/** The keys of a purpose by name. */
async function keyIds(purpose: KeyPurpose): Promise<Readonly<Record<string, string>>> {
  const ofPurpose = (await cloud.ring()).filter((key) => key.purpose === purpose);
  return Object.fromEntries(ofPurpose.map((key) => [`${key.slot}${key.generation}`, key.keyId]));
}

const KINDS = [
  ['access', 'access'],
  ['run', 'access'],
  ['identity', 'identity'],
] as const;

test.for(KINDS)(
  'what a key signs in the overlap, and shows to everybody, is refused at its end to the second: %s',
  async ([kind, purpose]) => {
    const settings = await cloud.deploy();
    const issuer = cloud.issuer(settings);
    const gateway = cloud.gateway(settings);
    await issuer.keys.publish();
    const { A1 = '', B1 = '' } = await keyIds(purpose);
    cloud.time.seconds += STANDBY_SECONDS;
    await cloud.store.change((ring) => rotateKey(ring, purpose, B1, cloud.time.seconds));
    const endSeconds = cloud.time.seconds + OVERLAP_SECONDS[purpose];
    const verifiers = [
      gateway.rulebook,
      withPublishedKeys(cloud.gateway(settings).rulebook, issuer.keys),
    ].map(functionVerifier);
    const answers = async (token: Token) => Promise.all(verifiers.map((verify) => verify(token)));
    cloud.time.seconds = endSeconds - 2;
    const { signingKey } = purpose === 'access' ? issuer : gateway;
    const token = await issueWith(kind, signingKey, A1);
    if (token === undefined) throw new Error('the test’s own token is not signed');
    expect(await answers(token)).toEqual(['in', 'in']);
    cloud.time.seconds = endSeconds - 1;
    expect(await answers(token)).toEqual(['in', 'in']);
    cloud.time.seconds = endSeconds;
    expect(await answers(token)).toEqual(['refused', 'refused']);
    expect(await issueWith(kind, signingKey, A1)).toBeUndefined();
    const published = await issuer.keys.publish();
    expect(published.ok && published.value.map(({ keyId }) => keyId)).not.toContain(A1);
  },
);

test.for(KINDS)(
  'a key that is retired at once is refused with the next look: %s',
  async ([kind, purpose]) => {
    const settings = await cloud.deploy();
    const issuer = cloud.issuer(settings);
    const gateway = cloud.gateway(settings);
    await issuer.keys.publish();
    const { A1 = '', B1 = '' } = await keyIds(purpose);
    const { signingKey } = purpose === 'access' ? issuer : gateway;
    const verify = functionVerifier(gateway.rulebook);
    const token = await issue(kind, signingKey);
    if (token === undefined) throw new Error('the test’s own token is not signed');
    expect(await verify(token)).toBe('in');
    await cloud.store.change((ring) => retireKey(ring, purpose, A1, cloud.time.seconds));
    cloud.time.seconds += 3;
    expect(await verify(token)).toBe('refused');
    const next = await issue(kind, signingKey);
    expect(next === undefined ? undefined : await verify(next)).toBe('in');
    expect((await signingKey.publicKey()).ok && (await keyIds(purpose))['B1']).toBe(B1);
  },
);
