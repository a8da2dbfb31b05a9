import type { Caller } from './caller.ts';
import { stringList } from './compact-jws.ts';
import { type GrantPlan, MAX_LIFETIME_SECONDS, planLifetime, serverOfResource } from './grant.ts';
import { isJsonObject, type Json, JsonNumber } from './json.ts';
import { CONTEXT_STORE, type Policy } from './policy.ts';
import { err, ok, type Result } from './result.ts';
import { fittingTeams } from './team-claim.ts';
import { hasRoomBelow } from './token-line.ts';
import { fittingGroups } from './user-grant.ts';
import { narrowContext } from './visibility.ts';

/** The scope that lets a caller make tokens for itself (contract §9). */
export const TOKENS_ISSUE = 'tokens/issue';

/** What a caller asks for. */
export type VendingRequest = {
  /** Undefined: all of its own but {@link TOKENS_ISSUE}. */
  readonly scopes: readonly string[] | undefined;
  /** Undefined: `ORIGIN`, as its own token has. */
  readonly resource: string | undefined;
  readonly ttlSeconds: number | undefined;
  /** Whose items it shows beside what is public: none where none are named. */
  readonly teams: readonly string[];
  /** How many requests it is good for; undefined: as many as there are. */
  readonly maxUses?: number | undefined;
};

/** Why a caller gets no token. `invalid_argument` is about the request, `detail` for its sender. */
export type VendingRefusal =
  | { readonly reason: 'not_granted'; readonly obtainable: readonly string[] }
  | { readonly reason: 'invalid_argument'; readonly detail: string };

const MEMBERS: ReadonlySet<string> = new Set(['scopes', 'resource', 'ttl', 'teams', 'max_uses']);

/** Reads the body `{scopes?, resource?, ttl?, teams?, max_uses?}`; the refusal is for its sender. */
export function readVendingRequest(body: Json): Result<VendingRequest, string> {
  if (!isJsonObject(body)) return err('send a JSON object: {"scopes": ["…"], "resource": "…", "ttl": 300}');
  const unknown = [...body.keys()].find((name) => !MEMBERS.has(name));
  if (unknown !== undefined)
    return err('only `scopes`, `resource`, `ttl`, `teams` and `max_uses` may be asked for');
  const scopes = body.has('scopes') ? stringList(body.get('scopes')) : undefined;
  if (body.has('scopes') && (scopes === undefined || scopes.length === 0)) {
    return err('`scopes` is a list of names of scopes');
  }
  const resource = body.get('resource');
  if (resource !== undefined && typeof resource !== 'string') return err('`resource` is a URL');
  const ttlSeconds = wholeNumber(body.get('ttl'));
  if (body.has('ttl') && ttlSeconds === undefined) return err('`ttl` is a whole number of seconds');
  const maxUses = wholeNumber(body.get('max_uses'));
  if (body.has('max_uses') && maxUses === undefined) return err('`max_uses` is a whole number of requests');
  const teams = body.has('teams') ? stringList(body.get('teams')) : [];
  if (teams === undefined) return err('`teams` is a list of names of teams');
  return ok({ scopes, resource, ttlSeconds, teams, maxUses });
}

/** From 1 to 999,999. */
function wholeNumber(value: Json | undefined): number | undefined {
  const isWhole = value instanceof JsonNumber && /^[1-9][0-9]{0,5}$/.test(value.lexeme);
  return isWhole ? value.toNumber() : undefined;
}

/**
 * Plans a token that a caller makes for itself (contract §2): it needs {@link TOKENS_ISSUE}; every scope that is asked for is one of its
 * own, and so is every team; the resource is `ORIGIN` or a server that the new token shows. It ends with the caller's own token at the latest, after 900 s, and as the
 * client's and the server's bounds say; `ttl` only shortens. Whatever revokes the caller's token revokes it. With `max_uses` it is for one
 * server, and nothing can be made of it.
 */
export function planVending(
  policy: Policy,
  caller: Caller,
  request: VendingRequest,
  place: { readonly origin: string; readonly nowSeconds: number },
): Result<GrantPlan, VendingRefusal> {
  const client = policy.findClient(caller.clientId, caller.orgId);
  if (client === undefined || caller.kind === 'run' || !caller.scopes.includes(TOKENS_ISSUE)) {
    const obtainable = caller.obtainableScopes.filter((scope) => scope === TOKENS_ISSUE);
    return err({ reason: 'not_granted', obtainable });
  }
  const scopes = request.scopes ?? caller.scopes.filter((scope) => scope !== TOKENS_ISSUE);
  const teams = [...new Set(request.teams)];
  const isOwn =
    scopes.every((scope) => caller.scopes.includes(scope)) &&
    teams.every((team) => caller.teams.includes(team));
  if (!isOwn || scopes.length === 0) return err({ reason: 'not_granted', obtainable: [] });
  const audience = request.resource ?? place.origin;
  const server = serverOfResource(audience, place.origin);
  if (audience !== place.origin && (server === undefined || !policy.hasServer(server, caller))) {
    return err({ reason: 'invalid_argument', detail: 'this `resource` is unknown' });
  }
  // What is for `ORIGIN` opens more than those doors where uses are counted.
  if (request.maxUses !== undefined && server === undefined) {
    return err({ reason: 'invalid_argument', detail: 'with `max_uses`, name one server in `resource`' });
  }
  const { orgId, subject } = caller;
  const viewer = { orgId, subject, teams, isPublicOnly: teams.length === 0 };
  if (server !== undefined && !policy.hasServer(server, viewer)) {
    return err({ reason: 'invalid_argument', detail: 'name a team that this `resource` is for in `teams`' });
  }
  if (fittingTeams(teams).length < teams.length) {
    return err({ reason: 'invalid_argument', detail: 'these are too many `teams` for one token' });
  }
  if (!hasRoomBelow(caller.jti)) {
    return err({ reason: 'invalid_argument', detail: 'this token was itself made in too many steps' });
  }
  const groups = fittingGroups(policy, caller.groups);
  if (groups === undefined) {
    return err({ reason: 'invalid_argument', detail: 'its groups are too many for one token' });
  }
  const lifetimeSeconds = Math.min(
    request.ttlSeconds ?? MAX_LIFETIME_SECONDS,
    planLifetime(policy, client, server, scopes),
    caller.endsAtSeconds - place.nowSeconds,
  );
  if (lifetimeSeconds <= 0) return err({ reason: 'invalid_argument', detail: 'this token ends now' });
  const opensContext = server === undefined || server === CONTEXT_STORE;
  return ok({
    subject: caller.subject,
    kind: caller.kind,
    clientId: caller.clientId,
    orgId: caller.orgId,
    audience,
    scopes: [...new Set(scopes)],
    groups,
    teams,
    maxUses: request.maxUses,
    lifetimeSeconds,
    context: opensContext ? narrowContext(caller.context) : {},
    actors: caller.actors,
    actorTokens: caller.actorTokens,
    descent: { ancestor: caller.jti, issuedAtSeconds: caller.issuedAtSeconds },
  });
}
