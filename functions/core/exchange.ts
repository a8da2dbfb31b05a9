import { MAX_ACTORS } from './act-claim.ts';
import type { Caller } from './caller.ts';
import {
  type GrantPlan,
  type OAuthRefusal,
  planLifetime,
  serverOfResource,
  splitScopes,
  unknownResource,
} from './grant.ts';
import { isUser } from './parties.ts';
import { type ClientEntry, CONTEXT_STORE, type Policy } from './policy.ts';
import { err, ok, type Result } from './result.ts';
import { NAME, resourceOf } from './route.ts';
import { fittingTeams } from './team-claim.ts';
import { hasRoomBelow } from './token-line.ts';
import { fittingGroups } from './user-grant.ts';
import { narrowContext } from './visibility.ts';

/** The kinds of token that can be exchanged, by the end of their URN (RFC 8693 §3). */
export type ExchangedType = 'access_token' | 'id_token';

/** A token that takes part in an exchange. */
export type ExchangedToken = { readonly compact: string; readonly type: ExchangedType };

/** What is asked for, as it was sent. */
export type ExchangeForm = {
  readonly subject: ExchangedToken;
  readonly actor: ExchangedToken | undefined;
  readonly scope: string | undefined;
  /** The resource that is named, by `resource` or by `audience`; undefined where none is. */
  readonly target: string | undefined;
};

const TYPE = 'urn:ietf:params:oauth:token-type:';

/** What every exchange gives (RFC 8693 §2.2.1). */
export const ISSUED_TOKEN_TYPE = `${TYPE}access_token`;

/** `jwt` says how a token looks and not what it is for; only access tokens are taken by that name. */
const TYPES: ReadonlyMap<string, ExchangedType> = new Map([
  [`${TYPE}access_token`, 'access_token'],
  [`${TYPE}jwt`, 'access_token'],
  [`${TYPE}id_token`, 'id_token'],
]);

/**
 * Reads the parameters of an exchange (RFC 8693 §2.1): a subject token and its type, an actor token and its type or neither, an access
 * token as what is asked for, one target at most. `audience` is the name of a server, or its resource.
 */
export function readExchangeForm(
  form: ReadonlyMap<string, string>,
  resources: readonly string[],
  origin: string,
): Result<ExchangeForm, OAuthRefusal> {
  const subject = readToken(form, 'subject_token');
  if (!subject.ok) return subject;
  if (subject.value === undefined) return refuse('invalid_request', '`subject_token` is missing');
  const actor = readToken(form, 'actor_token');
  if (!actor.ok) return actor;
  if (TYPES.get(form.get('requested_token_type') ?? ISSUED_TOKEN_TYPE) !== 'access_token') {
    return refuse('invalid_request', 'only access tokens are issued');
  }
  const audience = form.get('audience');
  const named = audience !== undefined && NAME.test(audience) ? resourceOf(audience, origin) : audience;
  const targets = new Set([...resources, ...(named === undefined ? [] : [named])]);
  if (targets.size > 1) return refuse('invalid_target', 'ask for one target at a time');
  const [target] = targets;
  return ok({ subject: subject.value, actor: actor.value, scope: form.get('scope'), target });
}

function readToken(
  form: ReadonlyMap<string, string>,
  name: 'subject_token' | 'actor_token',
): Result<ExchangedToken | undefined, OAuthRefusal> {
  const [compact, typeName] = [form.get(name), form.get(`${name}_type`)];
  if (compact === undefined && typeName === undefined) return ok(undefined);
  if (compact === undefined || typeName === undefined) {
    return refuse('invalid_request', `\`${name}\` and \`${name}_type\` come together`);
  }
  const type = TYPES.get(typeName);
  return type === undefined
    ? refuse('invalid_request', `this \`${name}_type\` is not accepted`)
    : ok({ compact, type });
}

/** What a token says that takes part: a {@link Caller}, or a user by an id token. */
export type ExchangeSubject = Pick<
  Caller,
  | 'subject'
  | 'kind'
  | 'clientId'
  | 'orgId'
  | 'scopes'
  | 'groups'
  | 'teams'
  | 'isPublicOnly'
  | 'jti'
  | 'actors'
  | 'actorTokens'
  | 'maxUses'
  | 'issuedAtSeconds'
  | 'endsAtSeconds'
  | 'audience'
  | 'context'
>;

/** Whom the new token is about, and who acts; undefined: the client itself. */
export type ExchangeParties = {
  readonly subject: ExchangeSubject;
  readonly actor: ExchangeSubject | undefined;
};

/**
 * Plans the token of an exchange. In this order: the client may exchange tokens of the subject's client, in its own organisation; the
 * actor is the client, or acts through it, and is not whom the token is about; the target is a server that the subject may know of, or `ORIGIN` where the subject's token
 * has it and the client may; the chain of actors is no longer than {@link MAX_ACTORS}; scopes are those of the subject's token that the
 * client, and every client in that chain, may have too. Teams are those of the subject's token. Nothing is more than that one gave, and nothing lasts longer. The new token descends from it.
 */
export function planExchange(
  policy: Policy,
  client: ClientEntry,
  parties: ExchangeParties,
  request: Pick<ExchangeForm, 'scope' | 'target'>,
  place: { readonly origin: string; readonly nowSeconds: number },
): Result<GrantPlan, OAuthRefusal> {
  const { subject, actor } = parties;
  if (subject.orgId !== client.org) return refuseToken('another_organisation');
  if (!client.exchangeFrom.includes(subject.clientId)) {
    const description = 'this client may not exchange tokens of that client';
    return err({ error: 'unauthorized_client', description, cause: 'exchange_from' });
  }
  if (actor !== undefined && (actor.clientId !== client.id || actor.orgId !== client.org)) {
    return refuseToken('another_clients_actor');
  }
  if (actor?.subject === subject.subject) return refuseToken('actor_is_subject');
  // A token that is made of it would have uses of its own.
  if (subject.maxUses !== undefined || actor?.maxUses !== undefined) return refuseToken('counted_token');
  const audience = planTarget(policy, client, subject, request.target, place.origin);
  if (!audience.ok) return audience;
  const actors = chainOf(parties, client.id);
  const actorTokens = actorTokensOf(parties);
  const isTooLong = actors.length > MAX_ACTORS || actorTokens.length > MAX_ACTORS;
  if (isTooLong || !hasRoomBelow(subject.jti)) return refuseToken('delegated_too_often');
  const others = actors.flatMap((actor) =>
    isUser(actor) ? [] : (policy.findClient(actor, client.org) ?? []),
  );
  const scopes = planScopes([client, ...others], subject, request.scope);
  if (!scopes.ok) return scopes;
  const groups = fittingGroups(policy, subject.groups);
  if (groups === undefined) return refuseToken('too_many_groups');
  const server = serverOfResource(audience.value, place.origin);
  const endsAtSeconds = Math.min(subject.endsAtSeconds, actor?.endsAtSeconds ?? subject.endsAtSeconds);
  const lifetimeSeconds = Math.min(
    planLifetime(policy, client, server, scopes.value),
    endsAtSeconds - place.nowSeconds,
  );
  if (lifetimeSeconds <= 0) return refuseToken('expired');
  const opensContext = server === undefined || server === CONTEXT_STORE;
  return ok({
    subject: subject.subject,
    kind: subject.kind === 'user' ? 'user' : 'agent',
    clientId: client.id,
    orgId: subject.orgId,
    audience: audience.value,
    scopes: scopes.value,
    groups,
    teams: fittingTeams(subject.teams),
    lifetimeSeconds,
    context: opensContext ? narrowContext(subject.context, client) : {},
    actors,
    actorTokens,
    descent: { ancestor: subject.jti, issuedAtSeconds: subject.issuedAtSeconds },
  });
}

/**
 * Whoever acts now, by way of this client, then those before: the client through which a user acted is one of them. A client that passes
 * its own token on acts in it already; nobody else is ever left out.
 */
function chainOf({ subject, actor }: ExchangeParties, clientId: string): readonly string[] {
  const isOwn = subject.subject === subject.clientId;
  const before = subject.actors.length > 0 || isOwn ? subject.actors : [subject.clientId];
  const acting = [...new Set([...(actor === undefined ? [] : [actor.subject, ...actor.actors]), clientId])];
  const isKnown = acting.length === 1 && subject.clientId === clientId;
  return isKnown && (before[0] ?? subject.subject) === clientId ? before : [...acting, ...before];
}

function planTarget(
  policy: Policy,
  client: ClientEntry,
  subject: ExchangeSubject,
  target: string | undefined,
  origin: string,
): Result<string, OAuthRefusal> {
  const wanted = target ?? (client.audience === 'gateway' ? subject.audience : undefined);
  if (wanted === undefined) {
    return refuse('invalid_target', `name the server: \`resource=${origin}/{server}/mcp\``);
  }
  if (wanted === origin) {
    return client.audience === 'gateway' && subject.audience === origin
      ? ok(origin)
      : refuse('invalid_target', 'neither this client nor the token is for every server');
  }
  const server = serverOfResource(wanted, origin);
  const viewer = { ...subject, isPublicOnly: subject.teams.length === 0 };
  const isThere = server !== undefined && policy.hasServer(server, viewer);
  return isThere ? ok(wanted) : refuse('invalid_target', unknownResource(origin));
}

/** What ends the actor's token, or one by which somebody before came to act, ends the new one. */
function actorTokensOf({ subject, actor }: ExchangeParties): readonly string[] {
  const own = actor === undefined ? [] : [actor.jti, ...actor.actorTokens];
  return [...new Set([...own, ...subject.actorTokens])];
}

function planScopes(
  clients: readonly ClientEntry[],
  subject: ExchangeSubject,
  scope: string | undefined,
): Result<readonly string[], OAuthRefusal> {
  const requested = scope === undefined ? ok(subject.scopes) : splitScopes(scope);
  if (!requested.ok) return requested;
  const granted = subject.scopes.filter(
    (name) => requested.value.includes(name) && clients.every(({ scopes }) => scopes.includes(name)),
  );
  return granted.length > 0
    ? ok(granted)
    : refuse('invalid_scope', 'none of these scopes is in the token and granted to this client');
}

/** RFC 8693 §2.2.2: a token that is not acceptable makes the request invalid, whatever is wrong with it. */
export function refuseToken(cause: string): Result<never, OAuthRefusal> {
  return err({ error: 'invalid_request', description: 'a token is not acceptable here', cause });
}

function refuse(error: OAuthRefusal['error'], description: string): Result<never, OAuthRefusal> {
  return err({ error, description });
}
