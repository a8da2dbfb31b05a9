import { generateKeyPairSync } from 'node:crypto';

/** Name of the environment variable that hands the keys to the workers, as a JSON list of PEM texts. */
export const MADE_KEYS = 'SALLYPORT_TEST_KEYS';

const KEYS = 32;

/**
 * Makes RSA keys once for all workers of a run, for which each would take an eighth of a second of every test file that signs. A run whose
 * configuration does not name this as its global setup makes its keys where it needs them.
 */
export function setup(): void {
  const keys = Array.from({ length: KEYS }, () =>
    generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'pem', type: 'pkcs8' }),
  );
  process.env[MADE_KEYS] = JSON.stringify(keys);
}
