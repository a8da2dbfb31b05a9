import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { auditedCaller } from '../core/audit.ts';
import type { Denial } from '../core/denial.ts';
import type { GrantPlan } from '../core/grant.ts';
import { parseJson } from '../core/json.ts';
import type { RateLimit, RateLimited } from '../core/rate-limit.ts';
import { err, ok, type Result } from '../core/result.ts';
import { planVending, readVendingRequest, TOKENS_ISSUE } from '../core/vending.ts';
import type { AppEnv } from './app.ts';
import type { Admission } from './ingress.ts';
import type { IssuerPorts } from './issuer-ports.ts';
import { NO_STORE, recordDecision } from './oauth-answer.ts';
import { denialProblem, problem } from './problem.ts';
import { checkRate, countOne } from './rate-counter.ts';
import { signAccessToken, tokenMembers } from './token-endpoint.ts';

const MAX_BODY_BYTES = 16_384;

/** Tokens that one caller makes for itself in an hour, whichever of its tokens it asks with; who acts for it uses up none of them. */
const PER_HOUR = 10;

/** Why nothing is made. */
type Refusal = Denial | RateLimited | { readonly reason: 'invalid_argument'; readonly detail: string };

/**
 * `POST /tokens`: a caller makes a token for its own use, with some of its scopes, for one server or for `ORIGIN`, and no longer than its
 * own. It needs a token for `ORIGIN` with the scope `tokens/issue`. Ten an hour, where the client's entry says nothing else: what is refused does not count, and what fails before
 * it is signed does not either.
 */
export function createVending(ports: IssuerPorts): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const limit = bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: (c: Context<AppEnv>) =>
      problem('payload_too_large', 'the body is larger than 16 KB', c.env.requestId),
  });
  app.post('/tokens', limit, (c) => vend(ports, c));
  return app;
}

async function vend(ports: IssuerPorts, c: Context<AppEnv>): Promise<Response> {
  const admission = await ports.ingress.authenticate(c.req.raw.headers, { kind: 'gateway' }, c.env.origin);
  if (!admission.ok) return refuse(ports, c, admission.error);
  const plan = await planRequest(ports, c, admission.value);
  if (!plan.ok) return refuse(ports, c, plan.error, admission.value);
  const token = await issue(ports, c, admission.value, plan.value);
  if (!token.ok) return refuse(ports, c, token.error, admission.value);
  return c.json(tokenMembers(token.value, plan.value), 201, NO_STORE);
}

async function planRequest(
  ports: IssuerPorts,
  c: Context<AppEnv>,
  { caller, policy }: Admission,
): Promise<Result<GrantPlan, Refusal>> {
  const body = parseJson(new Uint8Array(await c.req.arrayBuffer()));
  if (!body.ok) return err({ reason: 'invalid_argument', detail: 'the body is not strict JSON' });
  const request = readVendingRequest(body.value);
  if (!request.ok) return err({ reason: 'invalid_argument', detail: request.error });
  const place = { origin: c.env.origin, nowSeconds: Math.floor(ports.now() / 1000) };
  return planVending(policy, caller, request.value, place);
}

/** Counts once it is signed, and before anybody sees it: of any number that ask at once, no more than the limit get one. */
async function issue(
  ports: IssuerPorts,
  c: Context<AppEnv>,
  { caller, policy }: Admission,
  plan: GrantPlan,
): Promise<Result<string, Refusal>> {
  const subject = [caller.orgId, caller.subject, caller.clientId];
  const max = policy.findClient(caller.clientId, caller.orgId)?.vendedPerHour ?? PER_HOUR;
  const limit: RateLimit = { name: 'vending', max, windowSeconds: 3600 };
  const checked = await checkRate(ports, limit, subject);
  if (!checked.ok) return checked;
  const token = await signAccessToken(ports, plan, policy, TOKENS_ISSUE, c.env);
  if (!token.ok) return token;
  const counted = await countOne(ports, limit, subject);
  return counted.ok ? ok(token.value) : counted;
}

async function refuse(
  ports: IssuerPorts,
  c: Context<AppEnv>,
  refusal: Refusal,
  admission?: Admission,
): Promise<Response> {
  const { requestId } = c.env;
  await recordDecision(ports, c.env, {
    method: 'vend',
    decision: 'deny',
    reason: 'detail' in refusal ? `${refusal.reason}: ${refusal.detail}` : refusal.reason,
    ...(admission === undefined
      ? {}
      : { ...auditedCaller(admission.caller), policy_version: admission.policy.version }),
  });
  switch (refusal.reason) {
    case 'invalid_argument':
      return problem('invalid_argument', refusal.detail, requestId);
    case 'rate_limited': {
      const retryAfter = { 'retry-after': String(refusal.retryAfterSeconds) };
      return problem(
        'rate_limited',
        'too many tokens in an hour; make fewer, or wait',
        requestId,
        retryAfter,
      );
    }
    default:
      return denialProblem(refusal, requestId);
  }
}
