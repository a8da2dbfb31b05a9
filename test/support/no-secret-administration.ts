import type { SecretAdministration } from '../../functions/core/secret-administration.ts';

const unasked = () => Promise.reject(new Error('no secret is administered here'));
const administration: SecretAdministration = {
  put: unasked,
  stage: unasked,
  promote: unasked,
  delete: unasked,
  restore: unasked,
  list: unasked,
};

/** Where no secret is administered. */
export const NO_SECRET_ADMINISTRATION = { secretAdministration: administration, stage: 'prod' } as const;
