import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Action } from '../core/action.ts';
import type { Actions } from '../core/addressed.ts';
import { decideAll, decideFor } from '../core/decide.ts';
import { type Explanation, explainFully, explainToCaller } from '../core/explain.ts';
import { type AssumedCaller, readExplainRequest } from '../core/explain-request.ts';
import { hypotheticalParty } from '../core/hypothetical.ts';
import { parseJson } from '../core/json.ts';
import type { PartyRefusal } from '../core/parties.ts';
import { Policy } from '../core/policy.ts';
import { findRemedies, type Remedy } from '../core/remedy.ts';
import { type AccessFacts, accessRecords } from './access.ts';
import { authorizeInOrg, mayReach } from './administration.ts';
import type { ControlContext, ControlEnv } from './control-ports.ts';
import type { ModulePorts } from './module.ts';
import type { PolicyPorts } from './policy-plan.ts';
import { denialProblem, problem } from './problem.ts';

/** The ports that explaining needs. */
export type ExplainPorts = ModulePorts & Pick<PolicyPorts, 'policies'>;

const MAX_BODY_BYTES = 65_536;

/**
 * `POST /me/explain`: would this be allowed, and why, and what would change it? The caller itself is told what a refusal tells it, and no more. With
 * `caller` an administrator (`manage_policy` on `all`, in its own organisation; one of the platform's in every one) asks about somebody
 * else, who may be nobody: it is told the rule that decides, with file and line, and the smallest change that would allow it. Nothing
 * happens but a record, in which arguments have no place.
 */
export function createExplain(ports: ExplainPorts): Hono<ControlEnv> {
  const app = new Hono<ControlEnv>();
  const limit = bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: (c: ControlContext) =>
      problem('payload_too_large', 'the body is larger than 64 KB', c.env.requestId),
  });
  app.post('/me/explain', limit, (c) => explain(ports, c));
  return app;
}

async function explain(ports: ExplainPorts, c: ControlContext): Promise<Response> {
  const body = parseJson(new Uint8Array(await c.req.arrayBuffer()));
  const request = body.ok ? readExplainRequest(body.value) : undefined;
  if (request === undefined) {
    return problem('invalid_argument', 'the body is not strict JSON', c.env.requestId);
  }
  if (!request.ok) return problem('invalid_argument', request.error, c.env.requestId);
  const { actions, caller } = request.value;
  return caller === undefined ? explainOwn(ports, c, actions) : explainAssumed(ports, c, actions, caller);
}

async function explainOwn(ports: ExplainPorts, c: ControlContext, actions: Actions): Promise<Response> {
  const admission = c.get('admission');
  const facts = factsOf(actions, admission.caller.clientId);
  const records = accessRecords(ports, c.env, admission);
  const written = await records.allow('explain', facts);
  if (!written.ok) return denialProblem(written.error, c.env.requestId);
  const nowSeconds = Math.floor(ports.now() / 1000);
  const decision = decideAll(admission.policy, admission.caller, actions, nowSeconds);
  return c.json(show(explainToCaller(decision)));
}

async function explainAssumed(
  ports: ExplainPorts,
  c: ControlContext,
  actions: Actions,
  { orgId, ...claims }: AssumedCaller,
): Promise<Response> {
  const admission = c.get('admission');
  const records = accessRecords(ports, c.env, admission);
  const facts = factsOf(actions, claims.clientId);
  const authority = await authorizeInOrg(
    ports.policies,
    admission,
    'manage_policy',
    Math.floor(ports.now() / 1000),
  );
  if (!authority.ok) {
    await records.deny(authority.error, facts);
    return denialProblem(authority.error, c.env.requestId);
  }
  const own = admission.caller.orgId;
  const { snapshot, pointer } = authority.value;
  const wanted = orgId ?? own;
  if (!mayReach({ ...authority.value, orgId: own }, wanted)) {
    await records.deny({ reason: 'not_granted', obtainable: [] }, facts);
    return notThere(c);
  }
  const written = await records.allow('explain', facts);
  if (!written.ok) return denialProblem(written.error, c.env.requestId);
  const nowSeconds = Math.floor(ports.now() / 1000);
  const policy = new Policy(snapshot, pointer.version);
  const party = hypotheticalParty(policy, { ...claims, orgId: wanted }, nowSeconds);
  if (!party.ok) return refuseParty(c, party.error);
  // As at the gate, the first that is refused stands for all.
  const isRefused = (one: Action) => !decideFor(policy, party.value, one, nowSeconds).allow;
  const action = actions.find(isRefused) ?? actions[0];
  const full = explainFully(policy, party.value, action, nowSeconds);
  const remedies = findRemedies(snapshot, party.value, action, nowSeconds, authority.value.isOfPlatform);
  return c.json({
    ...show(full),
    ...(full.rule === undefined ? {} : { rule: full.rule }),
    remedies,
    policy_version: pointer.version,
  });
}

/** A question is no call, and no record of one: none of what was asked about happened. */
function factsOf([{ server, method }]: Actions, clientId: string): AccessFacts {
  return { area: 'policy', method: 'explain', server, name: `${method} as ${clientId}` };
}

/** Whoever is not there, or of another organisation, is not told apart; who is there and refused everywhere is. */
function refuseParty(c: ControlContext, { reason }: PartyRefusal): Response {
  const remedy: Readonly<Record<Exclude<PartyRefusal['reason'], 'unknown_client' | 'org_mismatch'>, string>> =
    {
      client_disabled: 'clients.yml says `disabled: true`',
      org_suspended: 'orgs.yml says `suspended: true`',
      identity_provider_gone: 'no identity provider of the organisation (idps.yml) vouches for this user',
    };
  if (reason === 'unknown_client' || reason === 'org_mismatch') return notThere(c);
  const text = `every token of this caller is refused: ${remedy[reason]}`;
  return c.json({ decision: 'deny', reason, text, remedies: [] satisfies readonly Remedy[] });
}

function notThere(c: ControlContext): Response {
  return problem('not_found', 'there is no such client in this organisation', c.env.requestId);
}

function show({ decision, reason, text, scopes }: Explanation): Readonly<Record<string, unknown>> {
  const named = decision === 'allow' ? { scopes } : { required_scopes: scopes };
  return { decision, reason, text, ...(scopes.length === 0 ? {} : named) };
}
