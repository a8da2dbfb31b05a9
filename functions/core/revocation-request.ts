import { locateCode } from './authorization-code.ts';
import { parseJwsObject, wholeSeconds } from './compact-jws.ts';
import { isJsonObject, type Json } from './json.ts';
import { readRefreshToken } from './refresh-token.ts';
import { err, ok, type Result } from './result.ts';
import { MAX_ID_LENGTH } from './token-line.ts';

/** What can be revoked, as administrators name it. `all` is every organisation. */
export type RevocationKind = 'token' | 'family' | 'client' | 'user' | 'run' | 'team' | 'org' | 'all';

/** A request to revoke, checked for its form. */
export type RevocationRequest = {
  readonly kind: RevocationKind;
  /** Whose it is; undefined: the administrator's own organisation. */
  readonly orgId: string | undefined;
  /** What is named: the id, or a token that says it. `org` and `all` need neither. */
  readonly named:
    | { readonly by: 'id'; readonly id: string }
    | { readonly by: 'token'; readonly token: string }
    | { readonly by: 'nothing' };
  /** Only what was issued until then; undefined: until now. */
  readonly beforeSeconds: number | undefined;
  /** Say what it would end, and end nothing. */
  readonly dryRun: boolean;
};

/** The kinds, in the order of what they end. */
export const REVOCATION_KINDS: readonly RevocationKind[] = [
  'token',
  'family',
  'run',
  'client',
  'user',
  'team',
  'org',
  'all',
];

/** Kinds whose id a token says too. */
const NAMED_BY_TOKEN: ReadonlySet<RevocationKind> = new Set(['token', 'family', 'run']);
/** Kinds that have a before and an after: what is no party but a thing of one time ends as a whole. */
const BOUND_IN_TIME: ReadonlySet<RevocationKind> = new Set(['client', 'user', 'team', 'org', 'all']);

const MEMBERS: ReadonlySet<string> = new Set(['kind', 'id', 'token', 'org_id', 'before', 'dry_run']);
/** What the token layer takes for an identifier; keys of storage are bounded. */
const ID = /^[^\p{Cc}\p{Cs}\u2028\u2029]{1,255}$/u;
const MAX_TOKEN_CHARACTERS = 8_192;

/** Where an administrator finds the id of what a token says too. */
const FOUND_AS: ReadonlyMap<RevocationKind, string> = new Map([
  ['token', 'its `jti` in the audit records'],
  ['family', 'the `jti` of a token of it in the audit records, up to the first dot'],
  ['run', 'its `name` in the audit records'],
]);

/**
 * Can this be the id of a thing of this kind, and no token, code or refresh token in its place? What has the form of one, whole or
 * between other characters, is none. A `jti` of ours is of short parts, and one of an identity provider has its name and a colon before it.
 */
export function isIdOf(kind: RevocationKind, id: string): boolean {
  if (!ID.test(id)) return false;
  if (!NAMED_BY_TOKEN.has(kind)) return true;
  if (id.split(/[^A-Za-z0-9_.-]+/).some(isCredential)) return false;
  return kind === 'run' || id.includes(':') || id.split('.').every((part) => part.length <= MAX_ID_LENGTH);
}

/** A part of a JWS is as good as all of it here: who copied one may have copied the next. */
function isCredential(text: string): boolean {
  return (
    readRefreshToken(text) !== undefined ||
    locateCode(text) !== undefined ||
    text.split('.').some((part) => parseJwsObject(part) !== undefined)
  );
}

/**
 * Reads the body of `POST /admin/revocations`: `{kind, id | token, org_id?, before?, dry_run?}`. A token is never an id here, nor an id a
 * token: what is no id by its form is refused without being repeated. The refusal is for its sender.
 */
export function readRevocationRequest(body: Json): Result<RevocationRequest, string> {
  if (!isJsonObject(body)) return err('send a JSON object: {"kind": "client", "id": "…"}');
  if ([...body.keys()].some((name) => !MEMBERS.has(name))) {
    return err(`a revocation has ${[...MEMBERS].map((name) => `\`${name}\``).join(', ')} and nothing else`);
  }
  const kind = REVOCATION_KINDS.find((one) => one === body.get('kind'));
  if (kind === undefined) return err(`\`kind\` is one of ${REVOCATION_KINDS.join(', ')}`);
  const named = readName(kind, body.get('id'), body.get('token'));
  if (!named.ok) return named;
  const orgId = body.get('org_id');
  if (orgId !== undefined && (typeof orgId !== 'string' || !ID.test(orgId))) {
    return err('`org_id` is the name of an organisation');
  }
  if (orgId !== undefined && kind === 'all') return err('`all` is every organisation; leave `org_id` out');
  const beforeSeconds = wholeSeconds(body.get('before'));
  if (body.has('before') && beforeSeconds === undefined) {
    return err('`before` is a time in whole seconds since the epoch');
  }
  if (beforeSeconds !== undefined && !BOUND_IN_TIME.has(kind)) {
    return err(`a ${kind} ends as a whole; leave \`before\` out`);
  }
  const dryRun = body.get('dry_run') ?? false;
  if (typeof dryRun !== 'boolean') return err('`dry_run` is true or false');
  return ok({ kind, orgId, named: named.value, beforeSeconds, dryRun });
}

function readName(
  kind: RevocationKind,
  id: Json | undefined,
  token: Json | undefined,
): Result<RevocationRequest['named'], string> {
  if (kind === 'org' || kind === 'all') {
    return id === undefined && token === undefined
      ? ok({ by: 'nothing' })
      : err(kind === 'org' ? 'name the organisation in `org_id`' : '`all` has no `id`');
  }
  if (token !== undefined) {
    if (id !== undefined) return err('send either `id` or `token`');
    if (!NAMED_BY_TOKEN.has(kind)) return err(`name the ${kind} by its \`id\``);
    if (typeof token !== 'string' || token === '' || token.length > MAX_TOKEN_CHARACTERS) {
      return err('`token` is a token, whole, of at most 8,192 characters');
    }
    return ok({ by: 'token', token });
  }
  if (typeof id === 'string' && isIdOf(kind, id)) return ok({ by: 'id', id });
  const refusal = `name the ${kind} by its \`id\`, of at most 255 characters`;
  const found = FOUND_AS.get(kind);
  return err(found === undefined ? refusal : `${refusal}: ${found}; a token itself is sent as \`token\``);
}
