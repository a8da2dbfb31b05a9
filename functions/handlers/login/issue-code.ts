import {
  CODE_KEPT_SECONDS,
  CODE_LIFETIME_SECONDS,
  type CodeGrant,
  locateCode,
  makeCode,
  writeCodeRecord,
} from '../../core/authorization-code.ts';
import type { AuthorizationRequest } from '../../core/authorization-request.ts';
import { codeResponse } from '../../core/authorization-response.ts';
import type { BrowserSession } from '../../core/browser-session.ts';
import { serverOfResource, unknownResource } from '../../core/grant.ts';
import type { Invocation } from '../../core/invocation.ts';
import type { ClientEntry, Policy } from '../../core/policy.ts';
import type { Result } from '../../core/result.ts';
import { viewerOf } from '../../core/standing.ts';
import { loginScopes } from '../../core/user-grant.ts';
import type { IssuerPorts } from '../issuer-ports.ts';
import { recordDecision } from '../oauth-answer.ts';
import { type BrowserProblem, problemPage } from '../pages/problem-page.ts';
import { endHere, refuseClient, sendOn } from './answer.ts';

/** A user who has consented and is logged in. */
export type ConsentedLogin = {
  readonly policy: Policy;
  readonly client: ClientEntry;
  readonly request: AuthorizationRequest;
  readonly user: BrowserSession;
  /** The provider left groups out because there are too many. */
  readonly hasMoreGroups: boolean;
  /** What an outage does to the user: `interrupted` where what the login was begun with is used up already. */
  readonly outage: 'unavailable' | 'interrupted';
};

/**
 * Sends the browser to the client with a code, or with the reason why there is none: the user has no server of that name, or none of the
 * user's groups stands for a scope that was asked for. The record is durable before there is a code. `finish` is what else must be stored,
 * last, before the browser is told the code; it gives cookies, or the problem for which a code that is stored is told to nobody.
 */
export async function issueCode(
  ports: IssuerPorts,
  invocation: Invocation,
  login: ConsentedLogin,
  finish: () => Promise<Result<readonly string[], BrowserProblem>>,
): Promise<Response> {
  const { policy, request, user } = login;
  const client = policy.clientIn(login.client, user.orgId);
  if (client === undefined) return endHere(ports, invocation, 'changed', { subject: user.subject });
  const about = {
    org_id: user.orgId,
    subject: user.subject,
    kind: 'user',
    client_id: client.id,
    policy_version: policy.version,
  };
  const server = serverOfResource(request.resource ?? '', invocation.origin);
  if (
    server !== undefined &&
    !policy.hasServer(server, viewerOf(policy, user, Math.floor(ports.now() / 1000)))
  ) {
    const description = unknownResource(invocation.origin);
    const refusal = { error: 'invalid_target', description } as const;
    return refuseClient(ports, invocation, request, refusal, { ...about, name: server });
  }
  const scopes = loginScopes(policy, client, user, { scopes: request.scopes, server });
  if (scopes.length === 0) {
    const refusal = { error: 'access_denied', description: whyNothing(login) } as const;
    return refuseClient(ports, invocation, request, refusal, { ...about, cause: 'no_scope_of_groups' });
  }
  const family = ports.randomId();
  const written = await recordDecision(ports, invocation, {
    area: 'login',
    decision: 'allow',
    reason: 'code_issued',
    ...about,
    jti: family,
    scopes,
    ...(request.resource === undefined ? {} : { name: request.resource }),
  });
  if (!written.ok) return problemPage(login.outage, invocation.requestId);
  const expiresAtSeconds = Math.floor(ports.now() / 1000) + CODE_LIFETIME_SECONDS;
  const code = await storeCode(ports, user.orgId, {
    clientId: client.id,
    redirectUri: request.redirectUri,
    codeChallenge: request.codeChallenge,
    resource: request.resource,
    scopes,
    subject: user.subject,
    groups: user.groups,
    authTimeSeconds: user.authTimeSeconds,
    family,
    expiresAtSeconds,
  });
  if (code === undefined) return problemPage(login.outage, invocation.requestId);
  const finished = await finish();
  if (!finished.ok) return endHere(ports, invocation, finished.error, about);
  return sendOn(codeResponse(request, code, invocation.origin), finished.value);
}

/** A code that is stored; undefined where it could not be. */
async function storeCode(ports: IssuerPorts, orgId: string, grant: CodeGrant): Promise<string | undefined> {
  const code = makeCode(orgId, ports.randomBytes(32));
  const place = locateCode(code);
  if (place === undefined) throw new TypeError('a code of ours is one that we find');
  const keptUntilSeconds = grant.expiresAtSeconds + CODE_KEPT_SECONDS;
  const created = await ports.records.create(
    { kind: 'CODE', ...place },
    writeCodeRecord(grant),
    keptUntilSeconds,
  );
  // Nobody else has this code: a conflict is our own write, whose answer was lost.
  return created.ok || created.error.reason === 'conflict' ? code : undefined;
}

/** Words for whoever set this up. They name nothing but the provider, which the user has just seen. */
function whyNothing({ user, hasMoreGroups }: ConsentedLogin): string {
  const at = `the identity provider ${user.idp}`;
  if (hasMoreGroups) {
    return `you are in more groups than ${at} puts into its token; an administrator can limit them to those of this application`;
  }
  return user.groups.length === 0
    ? `you are signed in, but ${at} named no group of yours; an administrator can check its groups_claim`
    : `you are signed in, but no group of yours at ${at} stands for a permission that was asked for; an administrator can add one to group_mappings`;
}
