import { stringList, wholeSeconds } from './compact-jws.ts';
import { isJsonObject, type Json, type JsonObject, writeJson } from './json.ts';
import { encodeToken, type Unsigned } from './mint.ts';
import { err, ok, type Result } from './result.ts';
import type { Run } from './run.ts';
import {
  isRunId,
  MAX_RUN_TTL_SECONDS,
  RUN_TOKEN_CLAIMS,
  type RunPermissions,
  type RunSection,
} from './run-request.ts';
import { CLOCK_TOLERANCE_SECONDS, type KeySet, openSignedToken, type TokenRefusal } from './signed-token.ts';

/** The unsigned tokens of a run: one under the name of its first service, or, split, one for each service. */
export type RunTokens = ReadonlyMap<string, Unsigned>;

/** The claims of a run token. Times are seconds since the epoch. */
export type RunClaims = {
  readonly runId: string;
  readonly orgId: string;
  /** The coordinator that opened the run. */
  readonly clientId: string;
  readonly jti: string;
  readonly issuedAtSeconds: number;
  readonly expiresAtSeconds: number;
  readonly permissions: RunPermissions;
  /** Service name → section, whichever shape the token has. */
  readonly services: ReadonlyMap<string, RunSection>;
};

/**
 * The tokens of a run (contract §5): RS256, `typ: JWT`. One for all its services with `services: {name: section}`, or, where the
 * run is split, one for each service in the flat shape. `makeJti` gives a random id that nobody can guess.
 */
export function mintRunTokens(
  run: Run,
  signing: {
    readonly keyId: string;
    readonly issuer: string;
    readonly orgId: string;
    readonly nowSeconds: number;
    readonly makeJti: () => string;
  },
): RunTokens {
  const mint = (audience: string | readonly string[], scope: Readonly<Record<string, unknown>>) =>
    encodeToken('JWT', signing.keyId, {
      ...scope,
      iss: signing.issuer,
      sub: run.runId,
      aud: audience,
      org_id: signing.orgId,
      client_id: run.clientId,
      agent_name: run.agentName,
      iat: signing.nowSeconds,
      exp: signing.nowSeconds + run.ttlSeconds,
      jti: signing.makeJti(),
      token_kind: 'run',
      permissions: run.permissions,
    });
  const names = [...run.services.keys()];
  if (run.split) {
    return new Map([...run.services].map(([name, section]) => [name, mint(name, plain(section))]));
  }
  const services = plain(run.services);
  return new Map([[names[0] ?? '', mint(names, { services })]]);
}

/**
 * A run token whose signature and claims were verified. Only {@link VerifiedRunToken.verify} makes one, and `VerifiedRunToken.is`
 * refuses at run time what was cast.
 */
export class VerifiedRunToken {
  readonly #verified = true;
  readonly claims: RunClaims;

  private constructor(claims: RunClaims) {
    this.claims = claims;
  }

  static is(value: unknown): value is VerifiedRunToken {
    return typeof value === 'object' && value !== null && #verified in value;
  }

  /**
   * Verifies a run token, of either shape. In this order: form, header, key, signature, claims present and typed, issuer, lifetime
   * cap, `iat`, `exp` (tolerance 5 s). Does NOT check whether a service is named in it, revocation, or whether the client still
   * exists. `permissions` that are absent are both; malformed ones refuse the token.
   */
  static verify(
    compact: string,
    expected: { readonly issuer: string; readonly keys: KeySet; readonly nowSeconds: number },
  ): Result<VerifiedRunToken, TokenRefusal> {
    const opened = openSignedToken(compact, { type: 'JWT', purpose: 'access', keys: expected.keys });
    if (!opened.ok) return opened;
    const claims = readRunClaims(opened.value);
    if (claims === undefined) return refuse('claims');
    if (opened.value.get('iss') !== expected.issuer) return refuse('issuer');
    const lifetimeSeconds = claims.expiresAtSeconds - claims.issuedAtSeconds;
    if (lifetimeSeconds <= 0 || lifetimeSeconds > MAX_RUN_TTL_SECONDS) return refuse('lifetime');
    if (claims.issuedAtSeconds > expected.nowSeconds + CLOCK_TOLERANCE_SECONDS)
      return refuse('not_yet_valid');
    const token = new VerifiedRunToken(claims);
    return token.isExpired(expected.nowSeconds) ? refuse('expired') : ok(token);
  }

  /** Is the token past `exp`, with 5 s of tolerance? For a token that was remembered. */
  isExpired(nowSeconds: number): boolean {
    return nowSeconds >= this.claims.expiresAtSeconds + CLOCK_TOLERANCE_SECONDS;
  }
}

/** As plain values, for the claims of a token. */
function plain(object: JsonObject): Readonly<Record<string, unknown>> {
  return JSON.parse(writeJson(object));
}

function readRunClaims(payload: JsonObject): RunClaims | undefined {
  const runId = identifier(payload, 'sub');
  const orgId = identifier(payload, 'org_id');
  const clientId = identifier(payload, 'client_id');
  const jti = identifier(payload, 'jti');
  const issuedAtSeconds = wholeSeconds(payload.get('iat'));
  const expiresAtSeconds = wholeSeconds(payload.get('exp'));
  const permissions = readPermissions(payload.get('permissions'));
  const services = readServices(payload);
  if (!runId || !isRunId(runId) || !orgId || !clientId || !jti) return undefined;
  if (issuedAtSeconds === undefined || expiresAtSeconds === undefined) return undefined;
  if (permissions === undefined || services === undefined) return undefined;
  if (payload.get('token_kind') !== 'run' || payload.has('cnf') || payload.has('nbf')) return undefined;
  return { runId, orgId, clientId, jti, issuedAtSeconds, expiresAtSeconds, permissions, services };
}

/** Both shapes: sections under `services`, or one section beside the claims, for the one service that is the audience. */
function readServices(payload: JsonObject): ReadonlyMap<string, RunSection> | undefined {
  const audiences = audiencesOf(payload.get('aud'));
  if (audiences === undefined) return undefined;
  const services = payload.get('services');
  if (services === undefined) {
    const [only, ...more] = audiences;
    const section = new Map([...payload].filter(([name]) => !RUN_TOKEN_CLAIMS.has(name)));
    return only === undefined || more.length > 0 ? undefined : new Map([[only, section]]);
  }
  if (!isJsonObject(services) || payload.has('namespace') || payload.has('scope_filters')) return undefined;
  const sections = new Map<string, RunSection>();
  for (const [name, section] of services) {
    if (!isJsonObject(section)) return undefined;
    if (audiences.includes(name)) sections.set(name, section);
  }
  return sections;
}

function audiencesOf(audience: Json | undefined): readonly string[] | undefined {
  const list = typeof audience === 'string' ? [audience] : stringList(audience);
  return list === undefined || list.length === 0 || list.includes('') ? undefined : list;
}

function readPermissions(value: Json | undefined): RunPermissions | undefined {
  if (value === undefined) return ['read', 'write'];
  const names = stringList(value);
  if (names?.length === 1 && names[0] === 'read') return ['read'];
  return names?.length === 2 && names.includes('read') && names.includes('write')
    ? ['read', 'write']
    : undefined;
}

function identifier(payload: JsonObject, name: string): string | undefined {
  const value = payload.get(name);
  return typeof value === 'string' && value !== '' && value.length <= 255 ? value : undefined;
}

function refuse(detail: TokenRefusal['detail']): Result<never, TokenRefusal> {
  return err({ reason: 'bad_token', detail });
}
