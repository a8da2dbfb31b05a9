import { Hono } from 'hono';
import type { Caller } from '../../core/caller.ts';
import type { Connection, ConnectionOwner } from '../../core/connection.ts';
import type { Denial } from '../../core/denial.ts';
import type { Provider } from '../../core/provider.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { type AccessFacts, accessRecords } from '../access.ts';
import type { GoneProvider } from '../connections/connections.ts';
import type { ControlContext, ControlEnv } from '../control-ports.ts';
import type { ModulePorts } from '../module.ts';
import { denialProblem } from '../problem.ts';
import type { ConnectPorts } from './connect-ports.ts';
import { disconnectOutcome } from './disconnect-outcome.ts';
import { connectUrl } from './link.ts';

/**
 * A user's own connections, for programs (contract §2). Nobody else's are there: an owner is never named. Agents and runs have none; who acts
 * for a user through another token may look and ask for a page to open, and end nothing. No token of a provider is in any answer.
 */
export function createConnectionsApi(ports: ModulePorts & ConnectPorts): Hono<ControlEnv> {
  const app = new Hono<ControlEnv>();
  app.get('/connections', (c) => list(ports, c));
  app.post('/connections/:provider', (c) => begin(ports, c));
  app.delete('/connections/:provider', (c) => disconnect(ports, c));
  return app;
}

async function list(ports: ModulePorts & ConnectPorts, c: ControlContext): Promise<Response> {
  const { policy, caller } = c.get('admission');
  const user = ownerOf(caller);
  if (!user.ok) return refuse(ports, c, user.error, { area: 'connection', method: 'list' });
  const providers = policy.providersOf(user.value.orgId);
  const connections = await ports.connections.list(user.value, providers);
  if (!connections.ok) return denialProblem(connections.error, c.env.requestId);
  return c.json({
    connections: connections.value.map(describe),
    providers: providers.map(({ name, displayName }) => ({ name, display_name: displayName })),
  });
}

/** The URL to open: connecting is for a browser in which the user is signed in. */
async function begin(ports: ModulePorts & ConnectPorts, c: ControlContext): Promise<Response> {
  const { caller } = c.get('admission');
  const found = findProvider(c);
  if (!found.ok) return refuse(ports, c, found.error, { area: 'connection', method: 'connect' });
  const { orgId, subject } = found.value.owner;
  const link = { orgId, subject, target: undefined, clientId: caller.clientId };
  const url = await connectUrl(ports, found.value.provider.name, link, c.env.origin);
  return url.ok ? c.json({ url: url.value }) : denialProblem(url.error, c.env.requestId);
}

/** As long as any name is, and in no key more than one. */
const PROVIDER_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

async function disconnect(ports: ModulePorts & ConnectPorts, c: ControlContext): Promise<Response> {
  const { caller, policy } = c.get('admission');
  const user = ownerOf(caller);
  const facts = {
    area: 'connection',
    method: 'disconnect',
    name: c.req.param('provider') ?? '',
  } as const satisfies AccessFacts;
  if (!user.ok) return refuse(ports, c, user.error, facts);
  if (caller.actors.length > 0) return refuse(ports, c, { reason: 'not_granted', obtainable: [] }, facts);
  const owner = user.value;
  const { name } = facts;
  // What was connected at a provider that is gone by now is its user's to end as well.
  const there = policy.providersOf(owner.orgId).find((one) => one.name === name);
  const provider: Provider | GoneProvider = there ?? { name, isGone: true };
  if (!PROVIDER_NAME.test(name)) return refuse(ports, c, { reason: 'unknown_item' }, facts);
  const found = await ports.connections.find(owner, provider);
  // What does not open can be ended all the same.
  if (!found.ok && found.error.isUnreadable !== true) return denialProblem(found.error, c.env.requestId);
  if (found.ok && found.value === undefined) return refuse(ports, c, { reason: 'unknown_item' }, facts);
  const records = accessRecords(ports, c.env, c.get('admission'));
  const written = await records.allow('disconnect', facts);
  if (!written.ok) return denialProblem(written.error, c.env.requestId);
  const startedAtMs = ports.now();
  const ended = await ports.connections.disconnect(owner, provider);
  await records.outcome(disconnectOutcome(ended), facts, { startedAtMs });
  return ended.ok ? c.json({ revoked: ended.value.revoked }) : denialProblem(ended.error, c.env.requestId);
}

function ownerOf({ kind, orgId, subject }: Caller): Result<ConnectionOwner, Denial> {
  return kind === 'user' ? ok({ orgId, subject }) : err({ reason: 'not_granted', obtainable: [] });
}

function findProvider(
  c: ControlContext,
): Result<{ readonly owner: ConnectionOwner; readonly provider: Provider }, Denial> {
  const { policy, caller } = c.get('admission');
  const owner = ownerOf(caller);
  if (!owner.ok) return owner;
  const name = c.req.param('provider');
  const provider = policy.providersOf(owner.value.orgId).find((one) => one.name === name);
  return provider === undefined ? err({ reason: 'unknown_item' }) : ok({ owner: owner.value, provider });
}

async function refuse(
  ports: ModulePorts,
  c: ControlContext,
  denial: Denial,
  facts: AccessFacts,
): Promise<Response> {
  await accessRecords(ports, c.env, c.get('admission')).deny(denial, facts);
  return denialProblem(denial, c.env.requestId);
}

function describe(connection: Connection): Readonly<Record<string, unknown>> {
  const { provider, account, scopes, status, connectedAtSeconds, refreshedAtSeconds } = connection;
  return {
    provider,
    status,
    ...(account === undefined ? {} : { account: { id: account.id, name: account.name } }),
    scopes,
    connected_at: connectedAtSeconds,
    refreshed_at: refreshedAtSeconds,
  };
}
