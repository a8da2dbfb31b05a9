/**
 * What is wrong with an audit log. `changed`: a record does not say what it said. `removed`: one that was there is not. `inserted`: one that
 * its writer did not make. `moved`: one is not where it was put. `checkpoint`: a statement of the issuer is missing, changed or not the
 * issuer's. `unsealed`: no statement covers what one should.
 */
export type FindingKind = 'changed' | 'removed' | 'inserted' | 'moved' | 'checkpoint' | 'unsealed';

/** One finding, and where to look. */
export type Finding = {
  readonly kind: FindingKind;
  readonly detail: string;
  readonly chain?: string;
  readonly seq?: number;
  readonly ts?: string;
  /** Of a checkpoint. */
  readonly number?: number;
};

/** Clocks differ: what expires within so many seconds may be gone. */
const EXPIRY_SLACK_SECONDS = 300;

/** May what expires at an instant be gone? */
export function mayHaveExpired(expiresAtSeconds: number, nowSeconds: number): boolean {
  return expiresAtSeconds <= nowSeconds + EXPIRY_SLACK_SECONDS;
}
