import type { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { AuditRecord } from '../core/audit.ts';
import { readForm } from '../core/client-auth.ts';
import { type GrantPlan, type OAuthRefusal, planGrant } from '../core/grant.ts';
import type { Invocation } from '../core/invocation.ts';
import { mintAccessToken } from '../core/mint.ts';
import type { ClientEntry, Policy } from '../core/policy.ts';
import type {
  AuditLog,
  RevocationStore,
  RulebookStore,
  SecretStore,
  SigningKey,
  Unavailable,
} from '../core/ports.ts';
import { err, ok, type Result } from '../core/result.ts';
import { KeySet, VerifiedToken } from '../core/token.ts';
import { type AppEnv, createApp } from './app.ts';
import { authenticateClient, type ClientRefusal } from './client-authentication.ts';
import { createDiscovery, type IssuerKeys } from './discovery.ts';

/** The ports of the issuer. */
export type IssuerPorts = {
  readonly rulebook: RulebookStore;
  readonly revocations: RevocationStore;
  readonly audit: AuditLog;
  readonly secrets: SecretStore;
  readonly signingKey: SigningKey;
  /** Public keys of ours; resolves once they are published, so that no token is signed that nobody can verify. */
  readonly keys: IssuerKeys;
  readonly stage: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly randomId: () => string;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
};

const MAX_FORM_BYTES = 16_384;
const NO_STORE = { 'cache-control': 'no-store', pragma: 'no-cache' } as const;

/** The authorization server: discovery, tokens (RFC 6749 §4.4) and revocation (RFC 7009). */
export function createIssuer(ports: IssuerPorts): Hono<AppEnv> {
  const app = createApp(ports.log);
  const limit = bodyLimit({
    maxSize: MAX_FORM_BYTES,
    onError: async (c) => {
      const area = c.req.path === '/oauth/revoke' ? 'revocation' : 'token';
      await record(ports, c.env, { area, decision: 'deny', reason: 'payload_too_large' });
      const body = { error: 'invalid_request', error_description: 'a form is at most 16 KB' };
      return c.json(body, 413, { ...NO_STORE, 'x-request-id': c.env.requestId });
    },
  });
  app.use(async (c, next) => {
    await next();
    c.header('x-request-id', c.env.requestId);
  });
  app.route('/', createDiscovery(ports.keys));
  app.post('/oauth/token', limit, (c) => issueToken(ports, c.req.raw, c.env));
  app.post('/oauth/revoke', limit, (c) => revokeToken(ports, c.req.raw, c.env));
  return app;
}

async function issueToken(ports: IssuerPorts, request: Request, invocation: Invocation): Promise<Response> {
  const refuse = (refusal: ClientRefusal, about: Partial<AuditRecord> = {}) =>
    recordRefusal(ports, invocation, refusal, { area: 'token', ...about });
  const form = await readRequestForm(request);
  if (!form.ok) return refuse(form.error);
  const authenticated = await authenticateClient(ports, request, form.value.form);
  if (!authenticated.ok) return refuse(authenticated.error);
  const { client, policy } = authenticated.value;
  const grantType = form.value.form.get('grant_type');
  const plan =
    grantType === undefined
      ? err<OAuthRefusal>({ error: 'invalid_request', description: '`grant_type` is missing' })
      : planGrant(
          policy,
          client,
          { grantType, scope: form.value.form.get('scope'), resources: form.value.resources },
          invocation.origin,
        );
  if (!plan.ok) return refuse(plan.error, { ...named(client), policy_version: policy.version });
  const token = await sign(ports, plan.value, policy, invocation);
  return token.ok ? tokenAnswer(token.value, plan.value, invocation) : oauthError(token.error, invocation);
}

/** The audit record is durable before the signature exists: no record, no token. */
async function sign(
  ports: IssuerPorts,
  plan: GrantPlan,
  policy: Policy,
  invocation: Invocation,
): Promise<Result<string, Unavailable>> {
  const published = await ports.keys.publish();
  if (!published.ok) return published;
  const key = await ports.signingKey.publicKey();
  if (!key.ok) return key;
  const unsigned = mintAccessToken(plan, {
    keyId: key.value.keyId,
    issuer: invocation.origin,
    nowSeconds: Math.floor(ports.now() / 1000),
    jti: ports.randomId(),
  });
  const written = await record(ports, invocation, {
    decision: 'allow',
    reason: 'client_credentials',
    org_id: plan.orgId,
    subject: plan.subject,
    kind: 'agent',
    client_id: plan.clientId,
    jti: unsigned.jti,
    scopes: plan.scopes,
    name: plan.audience,
    policy_version: policy.version,
  });
  if (!written.ok) return written;
  const signature = await ports.signingKey.sign(unsigned.signingInput);
  return signature.ok ? ok(`${unsigned.signingInput}.${signature.value}`) : signature;
}

/**
 * RFC 7009: an unknown token is 200, another client's is left alone (the record says so), a token of this client is dead when this
 * answers.
 */
async function revokeToken(ports: IssuerPorts, request: Request, invocation: Invocation): Promise<Response> {
  const refuse = (refusal: ClientRefusal, about: Partial<AuditRecord> = {}) =>
    recordRefusal(ports, invocation, refusal, { area: 'revocation', ...about });
  const form = await readRequestForm(request);
  if (!form.ok) return refuse(form.error);
  const authenticated = await authenticateClient(ports, request, form.value.form);
  if (!authenticated.ok) return refuse(authenticated.error);
  const { client } = authenticated.value;
  const token = form.value.form.get('token');
  if (token === undefined) {
    return refuse({ error: 'invalid_request', description: '`token` is missing' }, named(client));
  }
  const nowSeconds = Math.floor(ports.now() / 1000);
  // Our own keys, not the published copy of them: a token that looks unknown here would be left alive.
  const published = await ports.keys.publish();
  if (!published.ok) return oauthError(published.error, invocation);
  const keys = new KeySet(published.value);
  const verified = VerifiedToken.verify(token, {
    kind: 'access',
    issuer: invocation.origin,
    keys,
    nowSeconds,
  });
  if (!verified.ok || verified.value.claims.clientId !== client.id) {
    const reason = verified.ok ? 'another_clients_token' : `bad_token: ${verified.error.detail}`;
    await record(ports, invocation, { area: 'revocation', decision: 'deny', reason, ...named(client) });
    return new Response(null, { status: 200, headers: NO_STORE });
  }
  const { claims } = verified.value;
  const written = await record(ports, invocation, {
    area: 'revocation',
    decision: 'allow',
    reason: 'revoked_by_its_client',
    ...named(client),
    jti: claims.jti,
  });
  if (!written.ok) return oauthError(written.error, invocation);
  const revoked = await ports.revocations.revoke({
    orgId: claims.orgId,
    kind: 'jti',
    id: claims.jti,
    beforeSeconds: claims.expiresAtSeconds,
    forgetAtSeconds: claims.expiresAtSeconds + 60,
  });
  return revoked.ok
    ? new Response(null, { status: 200, headers: NO_STORE })
    : oauthError(revoked.error, invocation);
}

async function readRequestForm(request: Request): Promise<ReturnType<typeof readForm>> {
  const [type = ''] = (request.headers.get('content-type') ?? '').split(';');
  if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    return err({ error: 'invalid_request', description: 'send application/x-www-form-urlencoded' });
  }
  return readForm(await request.text());
}

function tokenAnswer(token: string, plan: GrantPlan, invocation: Invocation): Response {
  const body = {
    access_token: token,
    token_type: 'Bearer',
    expires_in: plan.lifetimeSeconds,
    scope: plan.scopes.join(' '),
  };
  return Response.json(body, { headers: { ...NO_STORE, 'x-request-id': invocation.requestId } });
}

function oauthError(refusal: ClientRefusal, invocation: Invocation): Response {
  if ('reason' in refusal) {
    const body = {
      error: 'temporarily_unavailable',
      error_description: 'a dependency is down; try again in a moment',
    };
    return Response.json(body, {
      status: 503,
      headers: { ...NO_STORE, 'retry-after': '2', 'x-request-id': invocation.requestId },
    });
  }
  const isClient = refusal.error === 'invalid_client';
  return Response.json(
    { error: refusal.error, error_description: refusal.description },
    {
      status: isClient ? 401 : 400,
      headers: {
        ...NO_STORE,
        'x-request-id': invocation.requestId,
        ...(isClient ? { 'www-authenticate': 'Basic realm="sallyport"' } : {}),
      },
    },
  );
}

/** A refusal stands whether or not it could be recorded. */
async function recordRefusal(
  ports: IssuerPorts,
  invocation: Invocation,
  refusal: ClientRefusal,
  about: Partial<AuditRecord>,
): Promise<Response> {
  await record(ports, invocation, { decision: 'deny', reason: reasonOf(refusal), ...about });
  return oauthError(refusal, invocation);
}

function record(
  ports: IssuerPorts,
  invocation: Invocation,
  fields: Pick<AuditRecord, 'decision' | 'reason'> & Partial<AuditRecord>,
): Promise<Result<void, Unavailable>> {
  return ports.audit.write({
    ts: new Date(ports.now()).toISOString(),
    request_id: invocation.requestId,
    event: 'decision',
    area: 'token',
    ...fields,
  });
}

function named(client: ClientEntry): Pick<AuditRecord, 'org_id' | 'client_id' | 'subject' | 'kind'> {
  return { org_id: client.org, client_id: client.id, subject: client.id, kind: 'agent' };
}

function reasonOf(refusal: ClientRefusal): string {
  return 'reason' in refusal ? `unavailable: ${refusal.detail}` : refusal.error;
}
