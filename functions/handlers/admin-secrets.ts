import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Denial } from '../core/denial.ts';
import type { PolicyStore, Unavailable } from '../core/ports.ts';
import { err, type Result } from '../core/result.ts';
import type {
  SecretAdministration,
  SecretDescription,
  SecretRefusal,
  Written,
} from '../core/secret-administration.ts';
import { readSecretKey } from '../core/secret-key.ts';
import { type AccessFacts, accessRecords } from './access.ts';
import { type Authority, authorizeInOrg, mayReach } from './administration.ts';
import type { ModuleEnv, ModulePorts } from './module.ts';
import { denialProblem, problem } from './problem.ts';
import { readParameters } from './query-parameters.ts';
import { findPlace, PROVIDERS, type SecretPlace, secretPrefix } from './secret-place.ts';
import { MAX_SECRET_BYTES, readProviderSecret, readSecretValue } from './secret-value.ts';

/** The ports of the administration of secrets. */
export type SecretAdminPorts = ModulePorts & {
  readonly policies: Pick<PolicyStore, 'readPointer' | 'readSnapshot'>;
  readonly secretAdministration: SecretAdministration;
  readonly stage: string;
};

type SecretsContext = Context<ModuleEnv>;

/** What becomes of one secret. */
type Change = 'put' | 'rotate' | 'promote' | 'delete' | 'restore';

const MAX_CURSOR_CHARACTERS = 4_096;

/**
 * The secrets of servers and services (contract §7), and ours at providers under `_providers`: written, rotated, listed and deleted, and never read. It
 * takes a token for `ORIGIN` and a UI scope with `manage_secrets` on `all` or on that server or service: an administrator reaches the
 * secrets of its own organisation, one of the platform's with `org=` those of every one; to the former, other organisations are not
 * there. A value is judged before it is stored, and the record of a change is durable before it.
 */
export function createAdminSecrets(ports: SecretAdminPorts): Hono<ModuleEnv> {
  const app = new Hono<ModuleEnv>();
  const limit = bodyLimit({
    maxSize: MAX_SECRET_BYTES,
    onError: (c: SecretsContext) =>
      problem('payload_too_large', 'a secret is at most 64 KB', c.env.requestId),
  });
  const one = '/admin/secrets/:target/:key';
  app.get('/admin/secrets', (c) => listSecrets(ports, c));
  app.put(one, limit, (c) => changeSecret(ports, c, 'put'));
  app.delete(one, (c) => changeSecret(ports, c, 'delete'));
  app.post(`${one}/rotate`, limit, (c) => changeSecret(ports, c, 'rotate'));
  app.post(`${one}/promote`, (c) => changeSecret(ports, c, 'promote'));
  app.post(`${one}/restore`, (c) => changeSecret(ports, c, 'restore'));
  return app;
}

async function changeSecret(ports: SecretAdminPorts, c: SecretsContext, change: Change): Promise<Response> {
  const { requestId } = c.env;
  const { target = '', key = '' } = c.req.param();
  const authority = await authorize(ports, c, target);
  if (!authority.ok) return denialProblem(authority.error, requestId);
  const admission = c.get('admission');
  const parameters = readParameters(new URL(c.req.url).searchParams, ['org']);
  if (parameters === undefined) {
    return problem('invalid_argument', 'the one parameter is `org`, once', requestId);
  }
  const orgId = parameters.get('org') ?? admission.caller.orgId;
  const place = findPlace(authority.value, admission.caller.orgId, {
    stage: ports.stage,
    orgId,
    target,
    key,
  });
  if (place === undefined) return notFound(requestId);
  const work = await readWork(ports.secretAdministration, c, change, place);
  if (!work.ok) return problem('invalid_argument', work.error, requestId);
  const records = accessRecords(ports, c.env, admission);
  const facts: AccessFacts = {
    area: 'secrets',
    server: target,
    method: change,
    name: `${orgId}/${target}/${key}`,
  };
  const written = await records.allow('manage_secrets', facts);
  if (!written.ok) return denialProblem(written.error, requestId);
  const startedAtMs = ports.now();
  const done = await work.value();
  c.env.waitUntil(records.outcome(done.ok ? 'done' : done.error.reason, facts, { startedAtMs }));
  if (!done.ok) return refusal(ports, c, done.error);
  const { versionId, isNew = false, stillWaits = false } = done.value ?? {};
  const note = stillWaits ? STILL_WAITS : place.note;
  const told = {
    org: orgId,
    target,
    key,
    ...(versionId === undefined ? {} : { version: versionId, stage: STAGES[change] }),
    ...(note === undefined || change === 'delete' ? {} : { note }),
  };
  return c.json(told, isNew ? 201 : 200);
}

const STILL_WAITS =
  'it is the current one, and its stage AWSPENDING could not be taken away: that changes nothing; promote again ends it';

const STAGES: Readonly<Record<Change, 'AWSCURRENT' | 'AWSPENDING' | undefined>> = {
  put: 'AWSCURRENT',
  rotate: 'AWSPENDING',
  promote: 'AWSCURRENT',
  delete: undefined,
  restore: undefined,
};

type Done = Result<Written | undefined, Unavailable | SecretRefusal>;

/** What is to be done, with the value that it takes read and judged. */
async function readWork(
  administration: SecretAdministration,
  c: SecretsContext,
  change: Change,
  { name, use }: SecretPlace,
): Promise<Result<() => Promise<Done>, string>> {
  const asWork = (work: () => Promise<Done>) => ({ ok: true, value: work }) as const;
  switch (change) {
    case 'put':
    case 'rotate': {
      const bytes = new Uint8Array(await c.req.arrayBuffer());
      const value = use === undefined ? readProviderSecret(bytes) : readSecretValue(bytes, use);
      if (!value.ok) return value;
      return asWork(() =>
        change === 'put' ? administration.put(name, value.value) : administration.stage(name, value.value),
      );
    }
    case 'promote':
      return asWork(() => administration.promote(name));
    case 'delete':
      return asWork(async () => withoutVersion(await administration.delete(name)));
    case 'restore':
      return asWork(async () => withoutVersion(await administration.restore(name)));
  }
}

function withoutVersion(done: Result<void, Unavailable | SecretRefusal>): Done {
  return done.ok ? { ok: true, value: undefined } : done;
}

async function listSecrets(ports: SecretAdminPorts, c: SecretsContext): Promise<Response> {
  const { requestId } = c.env;
  const parameters = readParameters(new URL(c.req.url).searchParams, ['org', 'target', 'after']);
  const [org, target, after] = ['org', 'target', 'after'].map((name) => parameters?.get(name));
  if (parameters === undefined || after === '' || (after ?? '').length > MAX_CURSOR_CHARACTERS) {
    const detail = 'the parameters are `org`, `target` and `after`, the `next` of the same list, each once';
    return problem('invalid_argument', detail, requestId);
  }
  const authority = await authorize(ports, c, target);
  if (!authority.ok) return denialProblem(authority.error, requestId);
  const admission = c.get('admission');
  const orgId = org ?? admission.caller.orgId;
  const { snapshot, isOfPlatform } = authority.value;
  const isReached = mayReach({ snapshot, isOfPlatform, orgId: admission.caller.orgId }, orgId);
  const isOfProviders = target === PROVIDERS;
  if (!isReached || (isOfProviders && !isOfPlatform)) return notFound(requestId);
  const facts: AccessFacts = { area: 'secrets', method: 'list', name: `${orgId}/${target ?? '*'}` };
  const records = accessRecords(ports, c.env, admission);
  const written = await records.allow('manage_secrets', facts);
  if (!written.ok) return denialProblem(written.error, requestId);
  const prefix = isOfProviders
    ? `sallyport/${ports.stage}/providers/`
    : secretPrefix(ports.stage, orgId, target);
  const page = await ports.secretAdministration.list(prefix, after);
  if (!page.ok) return refusal(ports, c, page.error);
  const { secrets, next } = page.value;
  const shown = secrets.map((secret) =>
    show(secret, isOfProviders ? prefix : secretPrefix(ports.stage, orgId, undefined), target),
  );
  return c.json({ org: orgId, secrets: shown, ...(next === undefined ? {} : { next }) });
}

function show(secret: SecretDescription, prefix: string, listed: string | undefined): object {
  const rest = secret.name.slice(prefix.length).split('/');
  const [target, key = ''] = listed === PROVIDERS ? [PROVIDERS, rest[0]] : rest;
  const owner = listed === PROVIDERS ? undefined : readSecretKey(key);
  return {
    target,
    key,
    ...(owner === undefined || owner.kind === 'default' ? {} : { id: owner.id }),
    created_at: secret.createdAtSeconds,
    changed_at: secret.changedAtSeconds,
    deleted_at: secret.deletedAtSeconds,
    versions: secret.versions,
  };
}

async function authorize(
  ports: SecretAdminPorts,
  c: SecretsContext,
  target: string | undefined,
): Promise<Result<Authority, Denial>> {
  const admission = c.get('admission');
  const nowSeconds = Math.floor(ports.now() / 1000);
  const on = target === PROVIDERS ? 'all' : target;
  const authority = await authorizeInOrg(ports.policies, admission, 'manage_secrets', nowSeconds, on);
  if (authority.ok) return authority;
  const records = accessRecords(ports, c.env, admission);
  await records.deny(authority.error, { area: 'secrets', method: c.req.method });
  return err(authority.error);
}

function notFound(requestId: string): Response {
  return problem('not_found', 'there is no such server, service or owner of a secret', requestId);
}

function refusal(ports: SecretAdminPorts, c: SecretsContext, why: Unavailable | SecretRefusal): Response {
  const { requestId } = c.env;
  switch (why.reason) {
    case 'unavailable':
      ports.log({ level: 'error', event: 'secret_not_written', request_id: requestId, detail: why.detail });
      return denialProblem(why, requestId);
    case 'missing':
      return problem('not_found', 'there is no such secret', requestId);
    case 'deleted':
      return problem('failed_precondition', 'the secret is deleted; restore it first', requestId);
    case 'not_staged':
      return problem('failed_precondition', 'no version waits: rotate puts one there', requestId);
    case 'conflict':
      return problem('conflict', 'somebody else writes this secret; try again', requestId);
    case 'bad_cursor':
      return problem('invalid_argument', '`after` is not the `next` of this list', requestId);
  }
}
