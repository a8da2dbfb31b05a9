import { SIGNING_ALGORITHMS } from './rsa-signature.ts';

/** The kinds of key that there are here. */
export type KeySpec = 'RSA_2048' | 'SYMMETRIC_DEFAULT';

/** The kind of key that is asked for; undefined for one that there is not. Without a word it encrypts, as in KMS. */
export function toKeySpec(spec = 'SYMMETRIC_DEFAULT', usage = 'ENCRYPT_DECRYPT'): KeySpec | undefined {
  if (spec === 'RSA_2048' && usage === 'SIGN_VERIFY') return spec;
  return spec === 'SYMMETRIC_DEFAULT' && usage === 'ENCRYPT_DECRYPT' ? spec : undefined;
}

/** What KMS says of every key of a kind. */
export function usageOf(spec: KeySpec): object {
  return {
    KeySpec: spec,
    CustomerMasterKeySpec: spec,
    ...(spec === 'RSA_2048'
      ? { KeyUsage: 'SIGN_VERIFY', SigningAlgorithms: SIGNING_ALGORITHMS }
      : { KeyUsage: 'ENCRYPT_DECRYPT', EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'] }),
  };
}
