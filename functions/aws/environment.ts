/** What a function's environment says. Read once at start; a missing or empty setting stops the start and is named. */
export type Environment = {
  readonly SALLYPORT_STAGE: string;
  readonly AUTH_TABLE: string;
  readonly AUDIT_TABLE: string;
  /** For how many days an audit record is kept; a whole number. */
  readonly AUDIT_RETENTION_DAYS: string;
  readonly CONTEXT_TABLE: string;
  /** ARN of the role whose sessions reach the documents of one namespace. */
  readonly CONTEXT_ROLE_ARN: string;
  /** Keys of the issuer by slot and generation, such as `A1=arn,B1=arn`; which one signs, the key ring says. */
  readonly ISSUER_KEY_ARNS: string;
  /** Identity keys of the gateway, written alike. */
  readonly IDENTITY_KEY_ARNS: string;
  /** ARN of the symmetric key under which the data keys of users' connections lie. */
  readonly CONNECTION_KEY_ARN: string;
  /** Full name of the secret that seals session ids and cursors. */
  readonly SEALING_SECRET: string;
  /** Full name of the secret that CloudFront proves itself with; empty where there is no CloudFront. */
  readonly EDGE_SECRET: string;
  /** Browser origins that may call, separated by commas; empty for none. */
  readonly ALLOWED_ORIGINS: string;
};

/** Settings that may be empty; every other one must have a value. */
const MAY_BE_EMPTY: ReadonlySet<string> = new Set(['ALLOWED_ORIGINS', 'EDGE_SECRET']);

/**
 * Reads the named settings from the process environment.
 * @throws Error naming the first setting that is missing or empty
 */
export function readEnvironment<K extends keyof Environment>(...names: K[]): Readonly<Pick<Environment, K>> {
  const settings: Partial<Record<K, string>> = {};
  for (const name of names) {
    const value = process.env[name];
    if (value === undefined || (value === '' && !MAY_BE_EMPTY.has(name))) {
      throw new Error(`environment variable \`${name}\` is missing or empty`);
    }
    settings[name] = value;
  }
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: the loop above has set every name
  return Object.freeze(settings) as Pick<Environment, K>;
}

/**
 * The number of a setting.
 * @throws Error where it is no whole number from 1
 */
export function numberOf(setting: string): number {
  if (!/^[1-9]\d{0,8}$/.test(setting)) throw new Error(`\`${setting}\` is not a whole number from 1`);
  return Number(setting);
}

/** The items of a comma-separated setting; none for an empty one. */
export function listOf(setting: string): readonly string[] {
  return setting
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
