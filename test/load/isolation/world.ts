import { canary } from '../canary.ts';
import { Random } from '../random.ts';
import type { Blueprint } from './blueprint.ts';
import { USERS } from './configuration.ts';
import type { LiveToken, Party } from './party.ts';
import type { Target } from './target.ts';
import { type Slot, secretName } from './vault.ts';

const TOKEN_LIFETIME_SECONDS = 300;
/** A token is not used any more when it has so long to live: its request must be over by then. */
const SPARE_SECONDS = 30;

/** The gateway that is called. */
export type Gate = {
  readonly origin: string;
  /** Does an authorizer answer before it, and is all that it calls but servers and services real? */
  readonly isDeployed: boolean;
  readonly nowMs: () => number;
  /** Signs an access token that it takes. */
  readonly sign: (claims: Readonly<Record<string, unknown>>) => string;
};

/** Callers in front of a gateway, with tokens that it takes. */
export class World {
  readonly blueprint: Blueprint;
  readonly gate: Gate;
  /** A token of each caller that is to be revoked before anything begins. */
  readonly revoked: ReadonlyMap<Party, LiveToken>;
  readonly #random: Random;
  #tokenSerial = 0;

  constructor(blueprint: Blueprint, gate: Gate, seed: number) {
    this.blueprint = blueprint;
    this.gate = gate;
    this.#random = new Random(seed, -2);
    this.revoked = new Map(blueprint.parties.map((party) => [party, this.#mint(party, party.obtainable)]));
  }

  get nowSeconds(): number {
    return Math.floor(this.gate.nowMs() / 1000);
  }

  /** One of the two tokens of a party that are alive now; they have different scopes. */
  tokenOf(party: Party, random: Random): LiveToken {
    const { tokens, obtainable } = party;
    const until = this.nowSeconds + SPARE_SECONDS;
    if (tokens.length === 0 || tokens.some(({ expiresAtSeconds }) => expiresAtSeconds < until)) {
      const some = () => obtainable.filter(() => this.#random.chance(0.6));
      tokens.splice(0, tokens.length, this.#mint(party, some()), this.#mint(party, some()));
    }
    return random.pick(tokens);
  }

  /** The secret that is this party's at a target, and the names under which it may be looked for. */
  secretOf(
    target: Target,
    party: Party,
  ): { readonly slot: Slot | undefined; readonly names: readonly string[] } {
    if (target.mode !== 'service_account') return { slot: undefined, names: [] };
    const own = secretName(target, party);
    const standIn = secretName(target, party, '_default');
    const names = target.fallback === 'default' ? [own, standIn] : [own];
    const slot = names.map((name) => this.blueprint.secrets.get(name)).find((found) => found !== undefined);
    return { slot, names };
  }

  #mint(party: Party, scopes: readonly string[]): LiveToken {
    const { origin, sign } = this.gate;
    const { nowSeconds } = this;
    const serial = this.#tokenSerial;
    this.#tokenSerial += 1;
    const expiresAtSeconds = nowSeconds + TOKEN_LIFETIME_SECONDS;
    const compact = sign({
      iss: origin,
      aud: origin,
      sub: party.subject,
      client_id: party.clientId,
      org_id: party.orgId,
      scope: scopes.join(' '),
      ...(party.subject === party.clientId ? {} : { groups: [USERS] }),
      iat: nowSeconds,
      exp: expiresAtSeconds,
      jti: canary('token', serial),
    });
    return { serial, compact, scopes, expiresAtSeconds };
  }
}
