import type { Json } from './json.ts';
import type { Result } from './result.ts';
import type { RunSection } from './run-request.ts';
import { type RunClaims, VerifiedRunToken } from './run-token.ts';
import { type ContextScope, parseContextScope, type ScopeRefusal } from './visibility.ts';

/** A run as one service sees it: who it is, and what it may touch there. It is made of a verified run token and nothing else. */
export class ServiceRun {
  readonly #token: VerifiedRunToken;
  /** The name under which the token addresses the service. */
  readonly service: string;
  /** What the token says of the service; undefined where it does not name it. */
  readonly section: RunSection | undefined;
  /** Namespace and filters as they stand there; `scope` judges them. */
  readonly context: { readonly namespace: Json | undefined; readonly scopeFilters: Json | undefined };
  /** What the token opens at the service. No section is no namespace; what is malformed opens nothing. */
  readonly scope: Result<ContextScope, ScopeRefusal>;

  /**
   * Freezes it: who holds a run can make it no other.
   *
   * @throws TypeError on a token that {@link VerifiedRunToken.verify} did not make, and in a class that extends this one
   */
  constructor(token: VerifiedRunToken, service: string) {
    if (new.target !== ServiceRun) throw new TypeError('a run is of no other class');
    if (!VerifiedRunToken.is(token)) throw new TypeError('a run needs a verified run token');
    const { orgId, services, permissions } = token.claims;
    this.#token = token;
    this.service = service;
    this.section = services.get(service);
    this.context = Object.freeze({
      namespace: this.section?.get('namespace'),
      scopeFilters: this.section?.get('scope_filters'),
    });
    const scope = parseContextScope({ orgId, ...this.context }, permissions.length === 2 ? 'write' : 'read');
    Object.freeze(scope.ok ? scope.value : scope.error);
    this.scope = Object.freeze(scope);
    Object.freeze(this);
  }

  static is(value: unknown): value is ServiceRun {
    return typeof value === 'object' && value !== null && #token in value;
  }

  get claims(): RunClaims {
    return this.#token.claims;
  }
}
