import type { SecretStage, SecretStore } from '../../functions/core/ports.ts';
import { err, ok } from '../../functions/core/result.ts';
import { Secret } from '../../functions/core/secret.ts';

/** Secrets in memory with their stages, read without a cache, and what was asked of them. */
export class StagedSecrets implements SecretStore {
  readonly asked: string[] = [];
  readonly #versions = new Map<string, { readonly value: string; readonly versionId: string }>();
  #nextId = 1;
  readonly #refusals = new Map<string, 'denied' | 'unavailable'>();

  /** Puts a value under a stage; a version of its own, or another stage of the same one. */
  put(name: string, value: unknown, stage: SecretStage = 'AWSCURRENT'): this {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    this.#versions.set(`${stage} ${name}`, { value: text, versionId: `v${this.#nextId}` });
    this.#nextId += 1;
    return this;
  }

  /** Ends a rotation: what was pending is current, and still pending too. */
  promote(name: string): void {
    const pending = this.#versions.get(`AWSPENDING ${name}`);
    if (pending !== undefined) this.#versions.set(`AWSCURRENT ${name}`, pending);
  }

  /** Takes a stage away from the version that has it. */
  drop(name: string, stage: SecretStage): void {
    this.#versions.delete(`${stage} ${name}`);
  }

  refuse(name: string, reason: 'denied' | 'unavailable'): this {
    this.#refusals.set(name, reason);
    return this;
  }

  read: SecretStore['read'] = async (name, { stage = 'AWSCURRENT' } = {}) => {
    this.asked.push(`${stage} ${name.split('/').slice(3).join('/')}`);
    const reason = this.#refusals.get(name);
    const found = this.#versions.get(`${stage} ${name}`);
    if (reason !== undefined || found === undefined)
      return err({ reason: reason ?? 'missing', detail: name });
    return ok({ value: new Secret(found.value), versionId: found.versionId });
  };
}
