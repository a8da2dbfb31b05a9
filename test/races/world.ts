import { createCounter } from '../../functions/aws/counter.ts';
import { createDynamo, type Dynamo } from '../../functions/aws/dynamodb.ts';
import { createRecordStore } from '../../functions/aws/records.ts';
import { createRevocationStore } from '../../functions/aws/revocations.ts';
import type { Policy } from '../../functions/core/policy.ts';
import type { ForeignKey, Upstream } from '../../functions/core/ports.ts';
import { ok } from '../../functions/core/result.ts';
import { type IssuerApp, startIssuerApp } from '../support/issuer-app.ts';
import { identityProvider, REDIRECT_URI } from '../support/logins.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from '../support/policies.ts';
import { NOW_SECONDS } from '../support/test-issuer.ts';

/** What every process of a race knows from the start. Plain JSON: it crosses between processes. */
export type WorldSeed = {
  readonly dynamoPort: number;
  readonly tableName: string;
  /** Signs id tokens, identity assertions, and the assertions of the client `signer`. */
  readonly foreignKey: ForeignKey;
  /** Takes every condition out of every write: then the race must find that more than one wins. */
  readonly isBroken: boolean;
};

/** An issuer of its own over the table that all processes share. `idToken` is what the identity provider answers with. */
export type World = { readonly app: IssuerApp; idToken: string };

/** Opens one. Its signatures are no signatures: nothing here looks at a token, and real ones would take most of the time. */
export async function openWorld(seed: WorldSeed): Promise<World> {
  const dynamo = createDynamo({
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${seed.dynamoPort}/`,
  });
  const shared = seed.isBroken ? withoutConditions(dynamo) : dynamo;
  const clock = () => NOW_SECONDS;
  const upstream: Upstream = {
    send: () => Promise.resolve(ok({ status: 200, headers: new Map(), body: bodyOf(world.idToken) })),
  };
  const app = await startIssuerApp(racePolicy(seed), {
    records: createRecordStore(shared, seed.tableName, clock),
    counter: createCounter(shared, seed.tableName, 'COUNT'),
    revocations: createRevocationStore(shared, seed.tableName, clock),
    foreignKeys: { find: () => Promise.resolve(ok([seed.foreignKey])) },
    upstream,
  });
  const { signingKey } = app.ports;
  Object.assign(app.ports, { signingKey: { ...signingKey, sign: () => Promise.resolve(ok('c2ln')) } });
  const world: World = { app, idToken: '' };
  return world;
}

function racePolicy({ foreignKey }: WorldSeed): Policy {
  const scopes = ['maps/read', 'maps/execute'];
  const grants = ['authorization_code', 'refresh_token', 'jwt-bearer'];
  const user = { scopes, redirectUris: [REDIRECT_URI], audience: 'resource' } as const;
  return policyOf({
    scopes: scopes.map((scope) => [scope, [scopeRule('*', ['initialize'])]] as const),
    groups: [['drivers', scopes]],
    servers: [serverEntry('maps')],
    idps: [identityProvider('corp')],
    clients: [
      clientEntry('desk', { ...user, grants }),
      clientEntry('app', { ...user, auth: 'none', secretName: '', grants: ['authorization_code'] }),
      clientEntry('signer', { scopes, auth: 'private_key_jwt', secretName: '', jwks: [foreignKey] }),
    ],
  });
}

function bodyOf(idToken: string): ReadableStream<Uint8Array> {
  const text = JSON.stringify({ id_token: idToken, access_token: 'at', token_type: 'Bearer' });
  return ReadableStream.from([Buffer.from(text)]);
}

/** A store that believes every writer: what a careless change of the store would come to. */
function withoutConditions(dynamo: Dynamo): Dynamo {
  return {
    call(operation, input) {
      const { ConditionExpression, ExpressionAttributeNames, ExpressionAttributeValues, ...bare } =
        Object(input);
      return dynamo.call(operation, operation === 'PutItem' ? bare : input);
    },
  };
}
