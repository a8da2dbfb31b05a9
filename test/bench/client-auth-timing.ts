import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Invocation } from '../../functions/core/invocation.ts';
import { err, ok } from '../../functions/core/result.ts';
import { Secret } from '../../functions/core/secret.ts';
import { authenticateClient } from '../../functions/handlers/client-authentication.ts';
import type { IssuerPorts } from '../../functions/handlers/issuer-ports.ts';
import { assertionForm } from '../support/assertions.ts';
import { type ForeignTestKey, makeEcKey, makeRsaKey } from '../support/foreign-issuer.ts';
import { invocationOf } from '../support/invocation.ts';
import { basic } from '../support/issuer-app.ts';
import { clientEntry, policyOf } from '../support/policies.ts';
import { NOW_SECONDS, ORIGIN, TestIssuer } from '../support/test-issuer.ts';
import { rankTest } from './rank-test.ts';
import { median, quantile } from './statistics.ts';

const SAMPLES = 10_000;
const WARM_UP = 2_000;
/** What may be told apart (the goals of the project): nothing that is significant and as large as this. */
const ALPHA = 0.001;
const MAX_EFFECT = 0.02;

/**
 * With `--answers`: when the answer leaves, which is never before 250 ms are over, in so many lanes at once. Without: the work alone, of
 * which nobody outside sees anything.
 */
const isOfAnswers = process.argv.includes('--answers');
const LANES = isOfAnswers ? 250 : 1;

type Attempt = { readonly authorization?: string; readonly form: Readonly<Record<string, string>> };
type Arm = { readonly name: string; readonly attempt: (index: number) => Attempt };

const ec = makeEcKey();
const rsa = makeRsaKey();
const strangerEc = makeEcKey();
const strangerRsa = makeRsaKey();
const ports = portsOf();

/** Failed attempts of one method: who is there, and who is not, must take the same time. The first arm is compared with each other one. */
const GROUPS: readonly (readonly Arm[])[] = [
  secretArms('client_secret_basic', (id) => ({ authorization: basic(id, 'wrong-secret'), form: {} })),
  secretArms('client_secret_post', (id) => ({ form: { client_id: id, client_secret: 'wrong-secret' } })),
  assertionArms('ES256', strangerEc),
  assertionArms('RS256', strangerRsa),
];

function secretArms(method: string, attempt: (id: string) => Attempt): readonly Arm[] {
  const of = (name: string, id: string): Arm => ({ name: `${method}: ${name}`, attempt: () => attempt(id) });
  const isBasic = method === 'client_secret_basic';
  return [
    of('unknown client', 'gh-st1'),
    of('wrong secret', isBasic ? 'basic1' : 'poster'),
    of('another method', isBasic ? 'poster' : 'basic1'),
    of('disabled client', 'retird'),
    of('public client', 'public'),
  ];
}

function assertionArms(algorithm: string, key: ForeignTestKey): readonly Arm[] {
  const of = (name: string, id: string): Arm => {
    // Verifying takes longer for some signatures than for others; of so many the arms are alike.
    const forms = Array.from({ length: 3_000 }, () => assertionForm(key, id));
    return {
      name: `${algorithm}: ${name}`,
      attempt: (index) => ({ form: forms[index % forms.length] ?? {} }),
    };
  };
  return [
    of('unknown client', 'gh-st1'),
    of('wrong signature', 'signer'),
    of('client with a secret', 'basic1'),
    of('disabled client', 'retird'),
  ];
}

function portsOf(): IssuerPorts {
  const signer = { auth: 'private_key_jwt', secretName: '' } as const;
  const policy = policyOf({
    clients: [
      clientEntry('basic1'),
      clientEntry('poster', { auth: 'client_secret_post' }),
      // As they come out of a stored policy.
      clientEntry('signer', { ...signer, jwks: JSON.parse(JSON.stringify([ec.published, rsa.published])) }),
      clientEntry('retird', { disabled: true }),
      clientEntry('public', { auth: 'none', secretName: '' }),
      ...Array.from({ length: 50 }, (_, index) => clientEntry(`client-${index}`)),
    ],
  });
  const { keys } = new TestIssuer();
  const unused = () => Promise.reject(new Error('not measured here'));
  // As long as the one that is compared where there is none.
  const there = ok({ value: new Secret(randomBytes(32).toString('base64url')), versionId: '1' });
  const missing = err({ reason: 'missing', detail: 'a secret' } as const);
  const failing: Partial<IssuerPorts> = {
    rulebook: { read: () => Promise.resolve(ok({ policy, keys })) },
    records: {
      create: () => Promise.resolve(ok(undefined)),
      read: () => Promise.resolve(ok(undefined)),
      replace: () => Promise.resolve(ok(undefined)),
    },
    counter: { count: () => Promise.resolve(ok(undefined)), read: () => Promise.resolve(ok(0)) },
    secrets: {
      // There or not, as Secrets Manager and the cache in front of it would answer from memory: what is held, made before.
      read: (name, { stage } = {}) =>
        Promise.resolve(stage === 'AWSPREVIOUS' || name.includes('@') ? missing : there),
    },
    foreignKeys: { find: unused },
    stage: 'bench',
    now: isOfAnswers ? Date.now : () => NOW_SECONDS * 1000,
    delay: isOfAnswers ? (ms) => setTimeout(ms) : () => Promise.resolve(),
    randomId: randomUUID,
    randomBytes,
    log: () => {},
  };
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: authenticating uses no other port
  return failing as IssuerPorts;
}

const invocation: Invocation = invocationOf();

async function timeOnce({ authorization, form }: Attempt): Promise<number> {
  const headers = authorization === undefined ? {} : { authorization };
  const request = new Request(`${ORIGIN}/oauth/token`, { method: 'POST', headers });
  const parameters = new Map(Object.entries(form));
  const started = process.hrtime.bigint();
  const result = await authenticateClient(ports, request, parameters, invocation);
  const took = Number(process.hrtime.bigint() - started) / 1_000;
  if (result.ok) throw new Error('an attempt that should have failed did not');
  return took;
}

/** The arms take turns in an order of chance, so that whatever the machine does meanwhile happens to all of them. */
async function measure(arms: readonly Arm[]): Promise<ReadonlyMap<Arm, readonly number[]>> {
  const samples = new Map<Arm, number[]>(arms.map((arm) => [arm, []]));
  let next = -WARM_UP;
  const lane = async () => {
    while (next < SAMPLES) {
      const round = next;
      next += 1;
      for (const arm of shuffled(arms)) {
        const took = await timeOnce(arm.attempt(round + WARM_UP));
        if (round >= 0) samples.get(arm)?.push(took);
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return samples;
}

function shuffled<T>(items: readonly T[]): readonly T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1);
    const [a, b] = [order[last], order[other]];
    if (a !== undefined && b !== undefined) [order[last], order[other]] = [b, a];
  }
  return order;
}

console.log(
  `failed client authentication, ${isOfAnswers ? 'its answers' : 'the work alone'}, ${SAMPLES} attempts per arm, in µs; compared with the first of its group`,
);
console.log(`${''.padEnd(44)}median     p90  effect        p`);
for (const arms of GROUPS) {
  const samples = await measure(arms);
  const [reference] = arms;
  const first = reference === undefined ? [] : (samples.get(reference) ?? []);
  for (const arm of arms) {
    const figures = samples.get(arm) ?? [];
    const { p, effect } = rankTest(figures, first);
    const isTold = arm !== reference && p < ALPHA && Math.abs(effect) >= MAX_EFFECT;
    const row = [
      arm.name.padEnd(40),
      median(figures).toFixed(1).padStart(10),
      quantile(figures, 0.9).toFixed(1).padStart(7),
      ...(arm === reference ? [] : [effect.toFixed(4).padStart(8), p.toExponential(1).padStart(9)]),
    ];
    console.log(`${row.join(' ')}${isTold ? '  told apart' : ''}`);
  }
}
