import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readIfPresent, writeAtomically } from '../atomic-file.ts';
import { parseObject, toObject, toText } from '../json.ts';
import type { KeySpec } from './key-usage.ts';

/** One key. Times are epoch seconds. */
export type StoredKey = {
  readonly id: string;
  readonly spec: KeySpec;
  /** Of a key that signs: its private half in PEM. Of one that encrypts: 256 bits in Base64. */
  readonly material: string;
  readonly description: string;
  readonly createdAt: number;
  readonly isEnabled: boolean;
  readonly deletionAt: number | undefined;
};

/** The keys and their aliases, kept in one file that only its owner can read. */
export class KeyStore {
  readonly #file: string;
  readonly #keys: Map<string, StoredKey>;
  readonly #aliases: Map<string, string>;
  readonly #parsed = new Map<string, KeyObject>();

  constructor(directory: string) {
    this.#file = join(directory, 'keys.json');
    const stored = parseObject(readIfPresent(this.#file) ?? '{}');
    if (stored === undefined) throw new Error(`\`${this.#file}\` is not a JSON object`);
    this.#keys = new Map(
      Object.entries(toObject(stored['keys'])).map(([id, value]) => {
        const key = toObject(value);
        const deletionAt = key['deletionAt'];
        return [
          id,
          {
            id,
            // A file of an older version has signing keys alone, and names them so.
            spec: key['spec'] === 'SYMMETRIC_DEFAULT' ? 'SYMMETRIC_DEFAULT' : 'RSA_2048',
            material: toText(key['material']) ?? toText(key['privateKeyPem']) ?? '',
            description: toText(key['description']) ?? '',
            createdAt: Number(key['createdAt']),
            isEnabled: key['isEnabled'] === true,
            deletionAt: typeof deletionAt === 'number' ? deletionAt : undefined,
          },
        ];
      }),
    );
    this.#aliases = new Map(
      Object.entries(toObject(stored['aliases'])).map(([name, id]) => [name, String(id)]),
    );
  }

  /** Every key. */
  all(): StoredKey[] {
    return [...this.#keys.values()];
  }

  /** Every alias, with the id of its key. */
  aliases(): [alias: string, keyId: string][] {
    return [...this.#aliases];
  }

  /** A key by its id, its ARN, an alias or an alias's ARN. */
  find(reference: string): StoredKey | undefined {
    const name = reference.replace(/^arn:aws:kms:[^:]*:\d*:(?:key\/)?/, '');
    return this.#keys.get(this.#aliases.get(name) ?? name);
  }

  /** The private half of a key that signs, parsed once. */
  privateKey({ id, material }: StoredKey): KeyObject {
    const key = this.#parsed.get(id) ?? createPrivateKey(material);
    this.#parsed.set(id, key);
    return key;
  }

  /** Makes a key; on the disk when it returns. */
  create(id: string, description: string, createdAt: number, spec: KeySpec = 'RSA_2048'): StoredKey {
    const material = spec === 'RSA_2048' ? makeRsaKey() : randomBytes(32).toString('base64');
    const key = { id, spec, material, description, createdAt, isEnabled: true, deletionAt: undefined };
    this.put(key);
    return key;
  }

  /** Adds or replaces a key; on the disk when it returns. */
  put(key: StoredKey): void {
    this.#keys.set(key.id, key);
    this.#save();
  }

  /** Points an alias at a key; on the disk when it returns. */
  putAlias(alias: string, keyId: string): void {
    this.#aliases.set(alias, keyId);
    this.#save();
  }

  #save(): void {
    const state = { keys: Object.fromEntries(this.#keys), aliases: Object.fromEntries(this.#aliases) };
    writeAtomically(this.#file, JSON.stringify(state, undefined, 1));
  }
}

function makeRsaKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
