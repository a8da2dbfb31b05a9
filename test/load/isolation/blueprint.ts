import { Random } from '../random.ts';
import { toConfiguration } from './configuration.ts';
import { type Client, makeParties, type Party } from './party.ts';
import { makeServers, makeServices, type Target } from './target.ts';
import { makeSecrets, type Slot } from './vault.ts';

/** Who there is, what they call and what is kept for them; nothing of it depends on where the gateway runs. */
export type Blueprint = {
  readonly clients: readonly Client[];
  readonly parties: readonly Party[];
  /** The client of each organisation that is the server `fin`, by organisation. */
  readonly finServers: readonly Party[];
  readonly targets: readonly Target[];
  readonly services: readonly Target[];
  readonly secrets: ReadonlyMap<string, Slot>;
  /** The files of the configuration directory. */
  readonly configuration: Readonly<Record<string, string>>;
};

/** Organisations of twelve callers each; their servers and services are at `upstreamOrigin`, or where nothing is. */
export function drawBlueprint(seed: number, orgs: number, upstreamOrigin?: string): Blueprint {
  const { parties, finServers, clients } = makeParties(new Random(seed, -1), orgs);
  const targets = makeServers(orgs, upstreamOrigin);
  const services = makeServices(upstreamOrigin);
  const secrets = makeSecrets([...targets, ...services], parties);
  const configuration = toConfiguration(targets, services, clients);
  return { clients, parties, finServers, targets, services, secrets, configuration };
}
