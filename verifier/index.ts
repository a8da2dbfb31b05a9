import { writeJson } from '../functions/core/json.ts';
import type { RunSection } from '../functions/core/run-request.ts';
import { verifyRunToken } from '../functions/core/run-token-verifier.ts';
import { createJwks } from './jwks.ts';

/** What a service must say of itself and of its Sallyport. */
export type RunTokenVerifierOptions = {
  /** The public origin of the deployment, without a slash at its end: `iss` of its tokens. From configuration, never from a request. */
  readonly issuer: string;
  /** The name under which runs address this service. */
  readonly service: string;
  /** Where the public keys are; `{issuer}/.well-known/jwks.json?purpose=access` where nothing is said: those that sign run tokens. */
  readonly jwksUri?: string;
  /** Seconds since the epoch; for tests. */
  readonly clock?: () => number;
};

/** What a run may touch at this service. Filter every read and every write by all of it. */
export type RunScope = {
  readonly orgId: string;
  readonly runId: string;
  /** The coordinator that opened the run. */
  readonly clientId: string;
  readonly namespace: string;
  /** Empty: the whole namespace. Else only what has all of these, with exactly these values, or no filters at all. */
  readonly scopeFilters: Readonly<Record<string, string>>;
  readonly permissions: { readonly read: true; readonly write: boolean };
  /** Every member of this service's section, also those that mean something to the service alone. Frozen; of a number beyond 2^53 the nearest that there is. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly expiresAtSeconds: number;
};

/** A request that is not let in. `message` may be shown to its sender. */
export type RunRefusal = { readonly status: 401 | 403 | 503; readonly message: string };

/** Verifies run tokens for one service. */
export type RunTokenVerifier = {
  /** `authorization` is the request's header value, or the bare token; null or undefined where there is none. */
  verify(
    authorization: string | null | undefined,
  ): Promise<
    { readonly ok: true; readonly scope: RunScope } | { readonly ok: false; readonly refusal: RunRefusal }
  >;
};

const BEARER = /^(?:[Bb][Ee][Aa][Rr][Ee][Rr] )?([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/;

/**
 * Verifies the run tokens of a Sallyport deployment, as its own context store does: signature by the published keys that may sign them, issuer, times
 * (5 s of tolerance), kind, shape. A token without this service in it is 403, malformed filters are 401 and never "no filters", keys
 * that cannot be had are 503. Does NOT ask whether the run was completed or its coordinator lost the namespace: a token is good until it expires, an hour at most.
 */
export function createRunTokenVerifier(options: RunTokenVerifierOptions): RunTokenVerifier {
  const clock = options.clock ?? (() => Math.floor(Date.now() / 1000));
  const jwks = createJwks(options.jwksUri ?? `${options.issuer}/.well-known/jwks.json?purpose=access`, clock);
  return {
    async verify(authorization) {
      const compact = BEARER.exec(authorization ?? '')?.[1];
      if (compact === undefined) return refuse(401, 'a run token is required: Authorization: Bearer …');
      const verified = await verifyRunToken(compact, { ...options, clock }, jwks);
      if (!verified.ok) {
        return verified.error.reason === 'unavailable'
          ? refuse(503, 'the keys cannot be read now; try again in a moment')
          : refuse(401, 'the run token is not valid here');
      }
      const { claims, scope, section } = verified.value.run;
      if (!scope.ok) {
        return scope.error.reason === 'no_namespace'
          ? refuse(403, 'this run has no access to this service')
          : refuse(401, 'the scope of the run token is malformed');
      }
      const { orgId, namespace, scopeFilters, permissions } = scope.value;
      return {
        ok: true,
        scope: {
          orgId,
          runId: claims.runId,
          clientId: claims.clientId,
          namespace,
          scopeFilters: Object.fromEntries(scopeFilters),
          permissions: { read: true, write: permissions === 'write' },
          expiresAtSeconds: claims.expiresAtSeconds,
          claims: frozen(section),
        },
      };
    },
  };
}

/** Nobody changes what was verified, at any depth. */
function frozen(section: RunSection | undefined): Readonly<Record<string, unknown>> {
  return JSON.parse(writeJson(section ?? new Map()), (_name, value: unknown) => Object.freeze(value));
}

function refuse(
  status: RunRefusal['status'],
  message: string,
): { readonly ok: false; readonly refusal: RunRefusal } {
  return { ok: false, refusal: { status, message } };
}
