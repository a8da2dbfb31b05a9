import type { Snapshot } from '../../../functions/core/policy.ts';
import { NOW_SECONDS, TestIssuer } from '../../support/test-issuer.ts';
import { canary } from '../canary.ts';
import { Random } from '../random.ts';
import { compile, toConfiguration } from './configuration.ts';
import { type LiveToken, makeParties, type Party } from './party.ts';
import { makeServers, makeServices, type Target } from './target.ts';
import { makeSecrets, type Slot, secretName } from './vault.ts';

const TOKEN_LIFETIME_SECONDS = 300;

/** Organisations of twelve callers each, their servers, services, secrets and tokens. */
export class World {
  readonly issuer = new TestIssuer();
  readonly parties: readonly Party[];
  /** The client of each organisation that is the server `fin`, by organisation. */
  readonly finServers: readonly Party[];
  readonly targets: readonly Target[];
  readonly services: readonly Target[];
  readonly secrets: ReadonlyMap<string, Slot>;
  readonly snapshot: Snapshot;
  /** The time of every part, in milliseconds. */
  nowMs = NOW_SECONDS * 1000;
  /** Tokens that were revoked before anything began, one per caller. */
  readonly revoked: ReadonlyMap<Party, LiveToken>;
  readonly #random: Random;
  #tokenSerial = 0;

  constructor(seed: number, orgs: number) {
    this.#random = new Random(seed, -1);
    const { parties, finServers, clients } = makeParties(this.#random, orgs);
    this.parties = parties;
    this.finServers = finServers;
    this.targets = makeServers(orgs);
    this.services = makeServices();
    this.secrets = makeSecrets([...this.targets, ...this.services], parties);
    this.snapshot = compile(toConfiguration(this.targets, this.services, clients));
    this.revoked = new Map(parties.map((party) => [party, this.mint(party, party.obtainable)]));
    for (const party of [...parties, ...finServers]) this.refresh(party);
  }

  get nowSeconds(): number {
    return Math.floor(this.nowMs / 1000);
  }

  /** One of the two tokens of a party that are alive now; they have different scopes. */
  tokenOf(party: Party, random: Random): LiveToken {
    const { nowSeconds } = this;
    if (party.tokens.some(({ expiresAtSeconds }) => expiresAtSeconds <= nowSeconds)) this.refresh(party);
    return random.pick(party.tokens);
  }

  /** Gives a party two new tokens. */
  refresh(party: Party): void {
    party.tokens.length = 0;
    for (let count = 0; count < 2; count += 1) {
      const scopes = party.obtainable.filter(() => this.#random.chance(0.6));
      party.tokens.push(this.mint(party, scopes));
    }
  }

  mint(party: Party, scopes: readonly string[]): LiveToken {
    const serial = this.#tokenSerial;
    this.#tokenSerial += 1;
    const expiresAtSeconds = this.nowSeconds + TOKEN_LIFETIME_SECONDS;
    const compact = this.issuer.accessToken({
      sub: party.subject,
      client_id: party.clientId,
      org_id: party.orgId,
      scope: scopes.join(' '),
      iat: this.nowSeconds,
      exp: expiresAtSeconds,
      jti: canary('token', serial),
    });
    return { serial, compact, scopes, expiresAtSeconds };
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
    const slot = names.map((name) => this.secrets.get(name)).find((found) => found !== undefined);
    return { slot, names };
  }
}
