import { canary } from '../canary.ts';
import type { Party } from './party.ts';
import type { Target } from './target.ts';

/** The stage in the names of secrets, as a configuration spells it. */
export const STAGE = '{stage}';

/** A secret of Secrets Manager; its value is new with each rotation. */
export type Slot = { readonly index: number; readonly credential: Target['credential']; version: number };

/** The mark of a secret's value. */
export function secretCanary({ index, version }: Slot): string {
  return canary('secret', index * 1_000 + version);
}

/** Is this the number of a canary of one of the slot's values? */
export function isOfSlot(slot: Slot | undefined, id: number): boolean {
  return slot !== undefined && Math.floor(id / 1_000) === slot.index;
}

/** What a slot's value says, as contract §7 spells it. Its characters are ones that encodings write in different ways. */
export function secretText(slot: Slot): string {
  const secret = `k/${secretCanary(slot)}+&"='=`;
  switch (slot.credential) {
    case 'bearer':
      return JSON.stringify({ type: 'bearer', token: secret });
    case 'basic':
      return JSON.stringify({ type: 'basic', username: 'gate', password: secret });
    case 'header':
      return JSON.stringify({ type: 'header', name: 'X-Api-Key', value: secret });
    case 'query':
      return JSON.stringify({ type: 'query', name: 'key', value: secret });
  }
}

/** Contract §7, spelled here a second time: what a party's secret is called. */
export function secretName(target: Target, party: Party, last?: string): string {
  const id = target.key === 'client' ? party.clientId : party.subject;
  const encoded = /^[A-Za-z0-9._-]+$/.test(id) ? id : `b64.${Buffer.from(id).toString('base64url')}`;
  return `sallyport/${STAGE}/credentials/${party.orgId}/${target.name}/${last ?? `${target.key}.${encoded}`}`;
}

/** A secret for every caller at every target that wants one, but for one in ten; and those that stand in. */
export function makeSecrets(
  targets: readonly Target[],
  parties: readonly Party[],
): ReadonlyMap<string, Slot> {
  const secrets = new Map<string, Slot>();
  let index = 0;
  const add = (name: string, { credential }: Target) => {
    if (secrets.has(name)) return;
    if (index % 10 !== 3) secrets.set(name, { index, credential, version: 1 });
    index += 1;
  };
  for (const target of targets.filter(({ mode }) => mode === 'service_account')) {
    for (const party of parties) {
      if (target.org !== undefined && target.org !== party.org) continue;
      add(secretName(target, party), target);
      if (target.fallback === 'default') add(secretName(target, party, '_default'), target);
    }
  }
  return secrets;
}
