import { AsyncLocalStorage } from 'node:async_hooks';
import type { Canary } from '../canary.ts';
import type { Plan } from './plan.ts';
import { isOfSlot, type Slot } from './vault.ts';
import type { World } from './world.ts';

/**
 * One request under way: what is its own, and what was seen of it. Ports learn by {@link current} for which request they are asked,
 * and not from anything that the gateway hands them.
 */
export class Exchange {
  readonly plan: Plan;
  readonly slot: Slot | undefined;
  readonly secretNames: readonly string[];
  upstreamCalls = 0;
  /** The answer that the client got, when it has got one. */
  answer: Response | undefined;
  /** Audit records that were kept, as `event/decision`. */
  readonly records: string[] = [];
  /** What an answer must not hold though no canary shows it: encodings of a credential that the server behind gave back. */
  readonly encoded: string[] = [];

  constructor(plan: Plan, world: World) {
    this.plan = plan;
    const { slot, names } = world.secretOf(plan.target, plan.party);
    this.slot = slot;
    this.secretNames = names;
  }

  /** Is this canary one of this request, or of its caller? */
  owns({ kind, id }: Canary): boolean {
    const { number, party, token, server, session, target } = this.plan;
    switch (kind) {
      case 'argument':
      case 'header':
      case 'hidden':
      case 'rpcId':
      case 'name':
      case 'authorization':
      case 'requestId':
      case 'content':
      case 'topology':
        return id === number;
      case 'secret':
        return isOfSlot(this.slot, id);
      case 'session':
        return session?.serial === id;
      case 'org':
        return id === party.org || id === server?.party.org;
      case 'client':
        return id === party.client || id === server?.party.client;
      case 'subject':
        return id === party.subjectIndex;
      case 'token':
        return id === token.serial || id === server?.token.serial;
      case 'scope':
        return id === party.org || id === server?.party.org;
      case 'server':
        return id === target.org;
    }
  }
}

/** The request for which the running code runs. */
export const current = new AsyncLocalStorage<Exchange>();
