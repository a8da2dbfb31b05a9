import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { isJsonObject, parseJson } from '../core/json.ts';
import { isAccepted, type KeyRing, keyName, type RingKey } from '../core/key-ring.ts';
import {
  findNamedKey,
  nextStep,
  type RotationRefusal,
  retireKey,
  rotateKey,
  STANDBY_SECONDS,
} from '../core/key-rotation.ts';
import type { Unavailable } from '../core/ports.ts';
import { err, type Result } from '../core/result.ts';
import type { KeyPurpose } from '../core/signed-token.ts';
import { type AccessFacts, type AccessRecords, accessRecords } from './access.ts';
import { authorizeAdministration } from './administration.ts';
import type { AppEnv } from './app.ts';
import type { Admission } from './ingress.ts';
import type { IssuerPorts } from './issuer-ports.ts';
import { denialProblem, problem } from './problem.ts';

type KeysEnv = AppEnv & { Variables: { admission: Admission; records: AccessRecords } };
type KeysContext = Context<KeysEnv>;

const CHANGES = { rotate_key: rotateKey, retire_key: retireKey } as const;

type Method = keyof typeof CHANGES;

const MAX_BODY_BYTES = 4_096;

/** The purposes by their names outside. */
const PURPOSES: ReadonlyMap<string, KeyPurpose> = new Map([
  ['issuer', 'access'],
  ['identity', 'identity'],
]);

/**
 * The signing keys of the deployment: which there are, rotation, and retirement at once. They sign for every organisation, so it takes a
 * token for `ORIGIN` and what {@link authorizeAdministration} asks for, with `manage_secrets`. The record is durable before the change.
 */
export function createAdminKeys(ports: IssuerPorts): Hono<KeysEnv> {
  const app = new Hono<KeysEnv>();
  const limit = bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: (c: KeysContext) =>
      problem('payload_too_large', 'the body is larger than 4 KB', c.env.requestId),
  });
  app.use('/admin/keys/*', (c, next) => admit(ports, c, next));
  app.get('/admin/keys', (c) => readKeys(ports, c));
  app.post('/admin/keys/:purpose/rotate', limit, (c) => changeKeys(ports, c, 'rotate_key'));
  app.post('/admin/keys/:purpose/retire', limit, (c) => changeKeys(ports, c, 'retire_key'));
  return app;
}

async function admit(
  ports: IssuerPorts,
  c: KeysContext,
  next: () => Promise<void>,
): Promise<Response | undefined> {
  const { headers } = c.req.raw;
  const admission = await ports.ingress.authenticate(headers, { kind: 'gateway' }, c.env.origin);
  if (!admission.ok) {
    await accessRecords(ports, c.env).deny(admission.error, { area: 'keys' });
    return denialProblem(admission.error, c.env.requestId);
  }
  const records = accessRecords(ports, c.env, admission.value);
  const authorized = await authorizeAdministration(
    ports.policies,
    admission.value,
    'manage_secrets',
    Math.floor(ports.now() / 1000),
  );
  if (!authorized.ok) {
    await records.deny(authorized.error, { area: 'keys', method: c.req.method });
    return denialProblem(authorized.error, c.env.requestId);
  }
  c.set('admission', admission.value);
  c.set('records', records);
  await next();
  c.header('cache-control', 'no-store');
  return undefined;
}

async function readKeys(ports: IssuerPorts, c: KeysContext): Promise<Response> {
  const written = await c.get('records').allow('manage_secrets', { area: 'keys', method: 'read' });
  if (!written.ok) return denialProblem(written.error, c.env.requestId);
  const ring = await ports.keyRing.read();
  if (!ring.ok) return denialProblem(ring.error, c.env.requestId);
  const nowSeconds = Math.floor(ports.now() / 1000);
  const purposes = Array.from(PURPOSES, ([name, purpose]) => [
    name,
    describe(ring.value, purpose, nowSeconds),
  ]);
  return c.json(Object.fromEntries(purposes));
}

/**
 * The body names the key, by id or by name: `{"key": "B1"}`. What it names is settled before anything changes, and asking again for
 * what is done already changes nothing, so that an answer that was lost can be asked for again.
 */
async function changeKeys(ports: IssuerPorts, c: KeysContext, method: Method): Promise<Response> {
  const purposeName = c.req.param('purpose') ?? '';
  const purpose = PURPOSES.get(purposeName);
  if (purpose === undefined)
    return problem('not_found', 'the keys are `issuer` and `identity`', c.env.requestId);
  const name = readKeyName(new Uint8Array(await c.req.arrayBuffer()));
  if (name === undefined) return problem('invalid_argument', 'send JSON: {"key": "B1"}', c.env.requestId);
  const ring = await ports.keyRing.read();
  if (!ring.ok) return denialProblem(ring.error, c.env.requestId);
  const key = findNamedKey(ring.value, purpose, name);
  const records = c.get('records');
  const facts: AccessFacts = { area: 'keys', method, name: `${purposeName}/${key?.keyId ?? name}` };
  const written = await records.allow('manage_secrets', facts);
  if (!written.ok) return denialProblem(written.error, c.env.requestId);
  const startedAtMs = ports.now();
  const changed = await apply(ports, method, purpose, key);
  c.env.waitUntil(records.outcome(changed.ok ? 'done' : changed.error.reason, facts, { startedAtMs }));
  if (!changed.ok) return refusal(changed.error, c.env.requestId);
  return c.json(describe(changed.value, purpose, Math.floor(ports.now() / 1000)));
}

/** Why nothing changed. `unusable_key`: it cannot be read where it is kept. */
type ChangeRefusal =
  | RotationRefusal
  | Unavailable
  | { readonly reason: 'unusable_key'; readonly name: string };

/** A key that is to sign is asked for first: one that is disabled would sign nothing. */
async function apply(
  ports: IssuerPorts,
  method: Method,
  purpose: KeyPurpose,
  key: RingKey | undefined,
): Promise<Result<KeyRing, ChangeRefusal>> {
  if (key === undefined) return err({ reason: 'unknown_key' });
  if (method === 'rotate_key') {
    const usable = await ports.confirmKey(key);
    if (!usable.ok) return err({ reason: 'unusable_key', name: keyName(key) });
  }
  const change = CHANGES[method];
  return ports.keyRing.change((ring) => change(ring, purpose, key.keyId, Math.floor(ports.now() / 1000)));
}

function readKeyName(bytes: Uint8Array): string | undefined {
  const body = parseJson(bytes);
  const key =
    body.ok && isJsonObject(body.value) && body.value.size === 1 ? body.value.get('key') : undefined;
  return typeof key === 'string' && key !== '' ? key : undefined;
}

function refusal(error: ChangeRefusal, requestId: string): Response {
  switch (error.reason) {
    case 'unknown_key':
      return problem('not_found', 'there is no such key', requestId);
    case 'not_standby':
      return problem('failed_precondition', 'this key has signed already and never will again', requestId);
    case 'last_good_key':
      return problem(
        'failed_precondition',
        'no other key could sign; deploy a fresh one into the other slot first',
        requestId,
      );
    case 'too_early': {
      const { waitSeconds } = error;
      return problem(
        'failed_precondition',
        `published less than ${STANDBY_SECONDS} s ago, not everybody knows this key; wait ${waitSeconds} s`,
        requestId,
        { 'retry-after': String(waitSeconds) },
      );
    }
    case 'unusable_key': {
      const detail = `the key ${error.name} cannot be read where it is kept: it is disabled or gone, or KMS does not answer; nothing was changed`;
      return problem('unavailable', detail, requestId);
    }
    case 'unavailable':
      return denialProblem(error, requestId);
  }
}

function describe(ring: KeyRing, purpose: KeyPurpose, nowSeconds: number): Readonly<Record<string, unknown>> {
  const keys = ring.filter((key) => key.purpose === purpose);
  return {
    keys: keys.map((key) => describeKey(key, nowSeconds)),
    next: describeStep(ring, purpose, nowSeconds),
  };
}

function describeKey(key: RingKey, nowSeconds: number): Readonly<Record<string, unknown>> {
  return {
    name: keyName(key),
    kid: key.keyId,
    state: isAccepted(key, nowSeconds) ? key.state : 'retired',
    published_at: key.publishedAtSeconds,
    ...(key.refusedAtSeconds === undefined ? {} : { refused_at: key.refusedAtSeconds }),
  };
}

function describeStep(
  ring: KeyRing,
  purpose: KeyPurpose,
  nowSeconds: number,
): Readonly<Record<string, unknown>> | undefined {
  const next = nextStep(ring, purpose, nowSeconds);
  switch (next?.step) {
    case 'rotate':
    case 'wait': {
      const key = ring.find(({ keyId }) => keyId === next.keyId);
      const seconds = next.step === 'wait' ? { seconds: next.waitSeconds } : {};
      return { step: next.step, key: key === undefined ? next.keyId : keyName(key), ...seconds };
    }
    case 'deploy':
      return { step: 'deploy', key: keyName(next) };
    case undefined:
      return undefined;
  }
}
