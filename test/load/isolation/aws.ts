import { randomBytes } from 'node:crypto';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Dynamo, Item } from '../../../functions/aws/dynamodb.ts';
import { createPolicyStore } from '../../../functions/aws/policy-store.ts';
import { createRevocationStore } from '../../../functions/aws/revocations.ts';
import type { SigningKey } from '../../../functions/core/ports.ts';
import { err, ok } from '../../../functions/core/result.ts';
import { publishKeys } from '../../support/published-keys.ts';
import type { TestIssuer } from '../../support/test-issuer.ts';
import { canary } from '../canary.ts';
import { compile } from './configuration.ts';
import { current } from './exchange.ts';
import type { Judge } from './judge.ts';
import { traceIdOf } from './plan.ts';
import { yieldTurns } from './turns.ts';
import { STAGE, secretText } from './vault.ts';
import type { World } from './world.ts';

/** Tables and secrets by name. */
export const AUTH_TABLE = 'auth';
export const AUDIT_TABLE = 'audit';
export const SEALING_SECRET = `sallyport/${STAGE}/sealing`;

/** The services of AWS under the gateway's own adapters: in memory, and seeing what they are asked for which request. */
export type Aws = {
  readonly dynamo: Dynamo;
  readonly secretsManager: SecretsManagerClient;
  readonly identityKey: SigningKey;
};

/** Tables and secrets with everything in them that the gateway needs. */
export async function createAws(world: World, judge: Judge, issuer: TestIssuer): Promise<Aws> {
  const dynamo = createDynamo(judge);
  const { access, identity } = issuer;
  const published = await publishKeys(dynamo, AUTH_TABLE, [access.published, identity.published]);
  const snapshot = compile(world.blueprint.configuration);
  const written = await createPolicyStore(dynamo, AUTH_TABLE).write(snapshot, undefined, 'deploy');
  const revocations = createRevocationStore(dynamo, AUTH_TABLE, () => world.nowSeconds);
  const revoked = await Promise.all(
    Array.from(world.revoked, ([{ orgId }, { serial }]) =>
      revocations.revoke({
        orgId,
        kind: 'jti',
        id: canary('token', serial),
        beforeSeconds: world.nowSeconds,
        forgetAtSeconds: world.nowSeconds + 900,
      }),
    ),
  );
  if (!published.ok || !written.ok || !revoked.every(({ ok: isWritten }) => isWritten)) {
    throw new Error("the harness's own table refused a write");
  }
  return {
    dynamo,
    secretsManager: createSecretsManager(world, judge),
    identityKey: createIdentityKey(issuer),
  };
}

/** Two tables of DynamoDB as far as the gateway uses them. */
function createDynamo(judge: Judge): Dynamo {
  const items = new Map<string, Item>();
  const keyOf = (item: Item) => JSON.stringify([item['pk'], item['sk']]);
  return {
    async call(operation, input) {
      const exchange = current.getStore();
      const fault = exchange?.plan.fault;
      await yieldTurns(exchange?.plan.random.below(2) ?? 0);
      if (operation === 'BatchGetItem') {
        if (fault === 'revocations')
          return err({ reason: 'unavailable', detail: 'dynamodb BatchGetItem: no' });
        // biome-ignore lint/nursery/noUnsafeTypeAssertion: what the adapters send
        const { RequestItems } = input as { RequestItems: Record<string, { Keys: readonly Item[] }> };
        const keys = RequestItems[AUTH_TABLE]?.Keys ?? [];
        judge.inspect('lookup', JSON.stringify(keys), exchange);
        return ok({
          Responses: {
            [AUTH_TABLE]: keys.map((key) => items.get(keyOf(key))).filter((item) => item !== undefined),
          },
        });
      }
      // biome-ignore lint/nursery/noUnsafeTypeAssertion: what the adapters send
      const { TableName, Item: item } = input as { TableName: string; Item: Item };
      if (TableName !== AUDIT_TABLE) {
        items.set(keyOf(item), item);
        return ok({});
      }
      if (fault === 'audit') return err({ reason: 'unavailable', detail: 'dynamodb PutItem: no' });
      judgeRecord(judge, item);
      return ok({});
    },
  };
}

/** An audit record is of this request, and names its caller and nobody else. */
function judgeRecord(judge: Judge, item: Item): void {
  const exchange = current.getStore();
  const text = JSON.stringify(item);
  judge.inspect('audit', text, exchange);
  if (exchange === undefined) {
    judge.leak(exchange, `an audit record outside any request: ${text}`);
    return;
  }
  const { plan } = exchange;
  const read = (name: string) => {
    const value = item[name];
    return value !== undefined && 'S' in value ? value.S : undefined;
  };
  exchange.records.push(`${read('event')}/${read('decision')}`);
  const people = [plan.party, ...(plan.server === undefined ? [] : [plan.server.party])];
  const isOwn =
    read('request_id') === canary('requestId', plan.number) &&
    people.some(
      ({ orgId, clientId, subject }) =>
        [undefined, orgId].includes(read('org_id')) &&
        [undefined, clientId].includes(read('client_id')) &&
        [undefined, subject].includes(read('subject')),
    ) &&
    [undefined, plan.target.name].includes(read('server')) &&
    [undefined, traceIdOf(plan.number)].includes(read('trace_id'));
  if (!isOwn) judge.leak(exchange, `another's audit record: ${text}`);
}

/** Secrets Manager as far as the gateway uses it. It is asked for a name that is this caller's, or it is a leak. */
function createSecretsManager(world: World, judge: Judge): SecretsManagerClient {
  const sealing = randomBytes(32).toString('hex');
  const send = async ({
    input,
  }: {
    readonly input: { readonly SecretId?: string; readonly VersionStage?: string };
  }) => {
    const { SecretId: name = '', VersionStage: stage } = input;
    const exchange = current.getStore();
    await yieldTurns(exchange?.plan.random.below(3) ?? 0);
    judge.inspect('lookup', name, exchange);
    if (name !== SEALING_SECRET && exchange?.secretNames.includes(name) !== true) {
      judge.leak(exchange, `the secret ${name} is looked up`);
    }
    if (exchange?.plan.fault === 'secrets_outage') throw named('InternalServiceError');
    if (exchange?.plan.fault === 'secrets_denied' && name !== SEALING_SECRET)
      throw named('AccessDeniedException');
    const slot = world.blueprint.secrets.get(name);
    if (stage !== 'AWSCURRENT' || (slot === undefined && name !== SEALING_SECRET)) {
      throw named('ResourceNotFoundException');
    }
    return slot === undefined
      ? { SecretString: sealing, VersionId: '1' }
      : { SecretString: secretText(slot), VersionId: String(slot.version) };
  };
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: of the client, the store calls `send` alone
  return { send } as unknown as SecretsManagerClient;
}

function named(name: string): Error {
  const error = new Error('no');
  error.name = name;
  return error;
}

/** A key of KMS. */
function createIdentityKey(issuer: TestIssuer): SigningKey {
  const { identity } = issuer;
  return {
    publicKey: () => Promise.resolve(ok(identity.published)),
    async sign(signingInput) {
      const plan = current.getStore()?.plan;
      await yieldTurns(plan?.random.below(3) ?? 0);
      if (plan?.fault === 'signing') return err({ reason: 'unavailable', detail: 'kms Sign: no' });
      const [header = '', payload = ''] = signingInput.split('.');
      const signed = issuer.sign(
        Buffer.from(header, 'base64url'),
        Buffer.from(payload, 'base64url'),
        identity,
      );
      return ok(signed.slice(signed.lastIndexOf('.') + 1));
    },
  };
}
