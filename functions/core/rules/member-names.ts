import { foldName, type JsonObject } from '../json.ts';
import type { ArgumentSchema } from './argument-schema.ts';

/** The names of members of which a schema says anything. */
export class MemberNames {
  readonly properties: ReadonlySet<string>;
  readonly #said: ReadonlySet<string>;
  readonly #folded: ReadonlySet<string>;

  constructor({ properties = [], required = [] }: ArgumentSchema) {
    this.properties = new Set(properties.map(([name]) => name));
    this.#said = new Set([...this.properties, ...required]);
    this.#folded = new Set(Array.from(this.#said, foldName));
  }

  /** Is there a member that some reader takes for a named one: by another case, or as what stands in for members that are missing? */
  hasLookalike(object: JsonObject): boolean {
    if (this.#said.size === 0) return false;
    for (const name of object.keys()) {
      if (name === '__proto__' || (!this.#said.has(name) && this.#folded.has(foldName(name)))) return true;
    }
    return false;
  }
}

/** The names of one policy's schemas: those of each are made ready when they are first needed, and kept. */
export class SchemaNames {
  readonly #names = new Map<ArgumentSchema, MemberNames>();

  of(schema: ArgumentSchema): MemberNames {
    let names = this.#names.get(schema);
    if (names === undefined) {
      names = new MemberNames(schema);
      this.#names.set(schema, names);
    }
    return names;
  }
}
