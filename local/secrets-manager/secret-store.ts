import { join } from 'node:path';
import { readIfPresent, writeAtomically } from '../atomic-file.ts';
import { type JsonObject, parseObject, toArray, toObject, toText } from '../json.ts';

/** One version of a secret. A version without stages is deprecated, as AWS calls it, but can still be read by its id. */
export type StoredVersion = {
  readonly id: string;
  readonly stages: readonly string[];
  readonly value: { readonly text: string } | { readonly binary: string };
  readonly createdAt: number;
};

/** One secret. Times are epoch seconds. */
export type StoredSecret = {
  readonly name: string;
  readonly arn: string;
  readonly description: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly versions: readonly StoredVersion[];
  readonly createdAt: number;
  readonly changedAt: number;
  readonly deletedAt: number | undefined;
  readonly deletionWindowDays: number;
};

/** The secrets, kept in one file that only its owner can read. */
export class SecretStore {
  readonly #file: string;
  readonly #secrets: Map<string, StoredSecret>;

  constructor(directory: string) {
    this.#file = join(directory, 'secrets.json');
    const stored = parseObject(readIfPresent(this.#file) ?? '{}');
    if (stored === undefined) throw new Error(`\`${this.#file}\` is not a JSON object`);
    this.#secrets = new Map(
      Object.entries(stored).map(([name, value]) => [name, fromJson(name, toObject(value))]),
    );
  }

  /** Every secret, by name. */
  all(): StoredSecret[] {
    return [...this.#secrets.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** A secret by its name, its full ARN, or its ARN without the suffix. */
  find(id: string): StoredSecret | undefined {
    return (
      this.#secrets.get(id) ??
      this.all().find(({ arn }) => arn === id) ??
      this.all().find(({ arn }) => arn.slice(0, -7) === id)
    );
  }

  /** Adds or replaces a secret; on the disk when it returns. */
  put(secret: StoredSecret): void {
    this.#secrets.set(secret.name, secret);
    this.#save();
  }

  /** Forgets a secret; on the disk when it returns. */
  remove(name: string): void {
    this.#secrets.delete(name);
    this.#save();
  }

  #save(): void {
    writeAtomically(this.#file, JSON.stringify(Object.fromEntries(this.#secrets), undefined, 1));
  }
}

function fromJson(name: string, stored: JsonObject): StoredSecret {
  const tags = Object.entries(toObject(stored['tags'])).map(([key, value]) => [key, String(value)]);
  const deletedAt = stored['deletedAt'];
  return {
    name,
    arn: String(stored['arn']),
    description: toText(stored['description']),
    tags: Object.fromEntries(tags),
    versions: toArray(stored['versions']).map((version) => versionFromJson(toObject(version))),
    createdAt: Number(stored['createdAt']),
    changedAt: Number(stored['changedAt']),
    deletedAt: typeof deletedAt === 'number' ? deletedAt : undefined,
    deletionWindowDays: Number(stored['deletionWindowDays']),
  };
}

function versionFromJson(stored: JsonObject): StoredVersion {
  const { text, binary } = toObject(stored['value']);
  return {
    id: String(stored['id']),
    stages: toArray(stored['stages']).map(String),
    value: typeof binary === 'string' ? { binary } : { text: String(text) },
    createdAt: Number(stored['createdAt']),
  };
}
