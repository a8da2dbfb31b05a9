import { checkClientAssertion } from '../core/client-assertion.ts';
import { type PresentedClient, readClientCredentials } from '../core/client-auth.ts';
import { readForeignHeader } from '../core/foreign-token.ts';
import type { OAuthRefusal } from '../core/grant.ts';
import type { Invocation } from '../core/invocation.ts';
import { NO_ORG } from '../core/open-client.ts';
import type { ClientEntry, Policy } from '../core/policy.ts';
import type { ForeignKey, Unavailable } from '../core/ports.ts';
import type { RateLimit, RateLimited } from '../core/rate-limit.ts';
import { err, ok, type Result } from '../core/result.ts';
import { networkOf } from '../core/source-network.ts';
import { findClient } from './client-registry.ts';
import { proveBySecret } from './client-secret.ts';
import type { IssuerPorts } from './issuer-ports.ts';
import { checkRate, countOne } from './rate-counter.ts';

/** A refusal of an OAuth endpoint, a dependency that is down, or too many attempts. */
export type ClientRefusal = OAuthRefusal | Unavailable | RateLimited;

/** A client that is who it says, and the policy under which it is. */
export type AuthenticatedClient = { readonly client: ClientEntry; readonly policy: Policy };

/** Failures of one client, by one method, from one network. Up to here attempts are compared whatever others do. */
const FAILURES: RateLimit = { name: 'client-auth', max: 20, windowSeconds: 60 };
/** Many at once do not queue for one record: these limits are for one share of so many, by chance. */
const SHARES = 20;
/** Failures from one network, whoever they are about, 300 in all shares: made-up client ids leave no more records than this. */
const FAILURES_OF_ALL: RateLimit = { name: 'client-auth-all', max: 15, windowSeconds: 60 };
/** Attempts at one client, by one method, beyond either limit, from everywhere, 600 in all shares. */
const BEYOND: RateLimit = { name: 'client-auth-beyond', max: 30, windowSeconds: 60 };
/** No failure is answered sooner: longer than it takes to look past every cache, so that time does not tell what was looked up. */
const FAILURE_TAKES_MS = 250;

/**
 * Authenticates the client: known, not disabled, its organisation not suspended, by the one method that is registered for it. A public
 * client says who it is and proves nothing. Every refusal reads the same and takes the same time, whether or not there is such a client;
 * after 20 of them in a minute, for one client id, one method and one network, or about 300 for one network, a failure is `rate_limited`, and who
 * proves who it is still passes. What is compared beyond that is counted first: 600 a minute for one client and method, and then nothing is.
 */
export async function authenticateClient(
  ports: IssuerPorts,
  request: Request,
  form: ReadonlyMap<string, string>,
  invocation: Invocation,
): Promise<Result<AuthenticatedClient, ClientRefusal>> {
  const presented = readClientCredentials(request.headers.get('authorization'), form);
  if (!presented.ok) return presented;
  const startedAtMs = ports.now();
  const authenticated = await authenticate(ports, presented.value, invocation);
  if (!authenticated.ok && isFailure(authenticated.error)) {
    await ports.delay(Math.max(0, startedAtMs + FAILURE_TAKES_MS - ports.now()));
  }
  return authenticated;
}

function isFailure(refusal: ClientRefusal): boolean {
  return 'error' in refusal || refusal.reason === 'rate_limited';
}

async function authenticate(
  ports: IssuerPorts,
  presented: PresentedClient,
  invocation: Invocation,
): Promise<Result<AuthenticatedClient, ClientRefusal>> {
  const book = await ports.rulebook.read();
  if (!book.ok) return book;
  const { policy } = book.value;
  const counts = countsOfFailure(ports, presented, networkOf(invocation.sourceIp));
  const failures = await checkFailures(ports, counts);
  if (!failures.ok && failures.error.reason === 'unavailable') return err(failures.error);
  const client = await findClient(ports, policy, presented.clientId, invocation.sourceIp);
  if (!client.ok) return client;
  if (!failures.ok && client.value !== undefined) {
    const counted = await countBeyond(ports, presented);
    if (!counted.ok) return counted;
  }
  const proof = await prove(ports, client.value, presented, invocation);
  if (!proof.ok) return proof;
  if (client.value !== undefined && proof.value.isProven) return ok({ client: client.value, policy });
  if (!failures.ok) return failures;
  for (const [limit, subject] of counts) {
    const counted = await countOne(ports, limit, subject);
    if (!counted.ok) return counted;
  }
  const isOtherMethod = client.value !== undefined && client.value.auth !== presented.method;
  const cause = proof.value.cause ?? (isOtherMethod ? 'method' : undefined);
  const refusal = { error: 'invalid_client', description: 'client authentication failed' } as const;
  return err(cause === undefined ? refusal : { ...refusal, cause });
}

/** A limit, and whose count of it. */
type Count = readonly [limit: RateLimit, subject: readonly string[]];

function countsOfFailure(
  ports: IssuerPorts,
  { clientId, method }: PresentedClient,
  network: string,
): readonly Count[] {
  return [
    [FAILURES, [clientId, method, network]],
    [FAILURES_OF_ALL, [network, shareOf(ports)]],
  ];
}

async function checkFailures(
  ports: IssuerPorts,
  counts: readonly Count[],
): Promise<Result<void, Unavailable | RateLimited>> {
  const checked = await Promise.all(counts.map(([limit, subject]) => checkRate(ports, limit, subject)));
  return checked.find((check) => !check.ok) ?? ok(undefined);
}

/** Counted before anything is compared: of many guesses at once no more are compared. */
function countBeyond(
  ports: IssuerPorts,
  { clientId, method }: PresentedClient,
): Promise<Result<void, Unavailable | RateLimited>> {
  return countOne(ports, BEYOND, [clientId, method, shareOf(ports)]);
}

function shareOf(ports: IssuerPorts): string {
  return String((ports.randomBytes(1)[0] ?? 0) % SHARES);
}

/** Whether the client is who it says; `cause` is for the audit record. */
type Proof = { readonly isProven: boolean; readonly cause?: string };

function prove(
  ports: IssuerPorts,
  client: ClientEntry | undefined,
  presented: PresentedClient,
  invocation: Invocation,
): Promise<Result<Proof, Unavailable>> {
  switch (presented.method) {
    case 'client_secret_basic':
    case 'client_secret_post':
      return proveBySecret(ports, client, presented);
    case 'private_key_jwt':
      return proveByAssertion(ports, client, presented, invocation);
    case 'none':
      return Promise.resolve(ok({ isProven: client?.auth === 'none' }));
  }
}

/** The assertion is signed by a key of the client, and is used for the first time. */
async function proveByAssertion(
  ports: IssuerPorts,
  client: ClientEntry | undefined,
  { clientId, assertion }: PresentedClient & { readonly method: 'private_key_jwt' },
  invocation: Invocation,
): Promise<Result<Proof, Unavailable>> {
  const keys = await keysOf(ports, client, assertion);
  if (!keys.ok) return keys;
  const nowSeconds = Math.floor(ports.now() / 1000);
  const expected = { clientId, issuer: invocation.origin, nowSeconds };
  const checked = checkClientAssertion(assertion, keys.value, expected);
  if (!checked.ok) return ok({ isProven: false, cause: checked.error });
  const { onceId, forgetAtSeconds } = checked.value;
  const key = { kind: 'ONCE', orgId: client?.org ?? NO_ORG, id: onceId } as const;
  const once = await ports.records.create(key, 'assertion', forgetAtSeconds);
  if (once.ok) return ok({ isProven: true });
  return once.error.reason === 'conflict' ? ok({ isProven: false, cause: 'replayed' }) : err(once.error);
}

async function keysOf(
  ports: IssuerPorts,
  client: ClientEntry | undefined,
  assertion: string,
): Promise<Result<readonly ForeignKey[], Unavailable>> {
  if (client?.auth !== 'private_key_jwt') return ok([]);
  if (client.jwksUri === undefined) return ok(client.jwks);
  const keyId = readForeignHeader(assertion)?.keyId;
  return ports.foreignKeys.find(client.jwksUri, keyId, { allowPrivate: client.jwksUriPrivate });
}
