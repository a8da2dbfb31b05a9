import { type NetworkSettings, readNetwork } from './network-settings.ts';
import type { KeyGenerations } from './signing-key.ts';

/** A domain name of the deployment's own, served instead of the CloudFront default. */
export type CustomDomain = {
  readonly name: string;
  /** ACM certificate of `name`, in the region of the stack. */
  readonly certificateArn: string;
  /** Route 53 zone that gets the alias records; without it the deployer points the name at the API. */
  readonly hostedZoneId: string | undefined;
};

/** What a deployer may choose, all of it from CDK context (`-c name=value` or `cdk.json`). */
export type Settings = {
  /** Part of secret names and of the execute-api URL; default `prod`. */
  readonly stage: string;
  /** Browser origins that may call; none unless listed. */
  readonly allowedOrigins: readonly string[];
  readonly domain: CustomDomain | undefined;
  /** Of each signing key, which generation each slot holds; all 1 unless they are raised. */
  readonly keyGenerations: Readonly<Record<'issuer' | 'identity', KeyGenerations>>;
  /** Which secret CloudFront proves itself with; 1 unless it is raised. */
  readonly edgeGeneration: number;
  readonly audit: AuditSettings;
  /** The VPC that functions call out from; undefined: none. */
  readonly network: NetworkSettings | undefined;
};

/** How long audit records are kept, and how often they are sealed. */
export type AuditSettings = {
  /** Days, 1 to 3,650; default 365. Checkpoints are kept longer. */
  readonly retentionDays: number;
  /** Minutes between two checkpoints, 1 to 30; default 1. What is newer than the last one is not sealed yet. */
  readonly checkpointMinutes: number;
};

const STAGE = /^[a-z0-9][a-z0-9-]{0,31}$/;
const DOMAIN_NAME = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;

/**
 * Reads the settings: `stage`, `allowedOrigins` (separated by commas), `domainName`, `certificateArn`, `hostedZoneId`, and the
 * generations `issuerKeyA`, `issuerKeyB`, `identityKeyA`, `identityKeyB`, `edgeSecret`; `auditRetentionDays`, `checkpointMinutes`; those of a
 * VPC ({@link readNetwork}).
 * @throws Error naming the first setting that cannot be deployed
 */
export function readSettings(context: (key: string) => unknown): Settings {
  const stage = readText(context, 'stage') ?? 'prod';
  if (!STAGE.test(stage)) throw new Error(`context \`stage\` must match ${STAGE.source}`);
  const allowedOrigins = (readText(context, 'allowedOrigins') ?? '').split(',').flatMap((text) => {
    const origin = text.trim();
    if (origin === '') return [];
    if (!isWebOrigin(origin)) {
      throw new Error(
        `context \`allowedOrigins\`: \`${origin}\` is not an origin such as https://app.example.com`,
      );
    }
    return [origin];
  });
  const domain = readDomain(context);
  if (domain !== undefined && allowedOrigins.length > 1) {
    throw new Error(
      'context `allowedOrigins`: a custom domain can answer for one origin; CloudFront for several',
    );
  }
  const generationOf = (name: string) => readCount(context, name, { max: 999_999, otherwise: 1 });
  const keyGenerations = {
    issuer: { A: generationOf('issuerKeyA'), B: generationOf('issuerKeyB') },
    identity: { A: generationOf('identityKeyA'), B: generationOf('identityKeyB') },
  };
  const audit = {
    retentionDays: readCount(context, 'auditRetentionDays', { max: 3_650, otherwise: 365 }),
    checkpointMinutes: readCount(context, 'checkpointMinutes', { max: 30, otherwise: 1 }),
  };
  const edgeGeneration = generationOf('edgeSecret');
  const network = readNetwork((key) => readText(context, key));
  return { stage, allowedOrigins, domain, keyGenerations, edgeGeneration, audit, network };
}

/** A whole number from 1 to `max`, of `cdk.json` or the command line. */
function readCount(
  context: (key: string) => unknown,
  key: string,
  { max, otherwise }: { readonly max: number; readonly otherwise: number },
): number {
  const value = context(key);
  if (value === undefined || value === '') return otherwise;
  const isPlain = typeof value === 'number' || typeof value === 'string';
  if (isPlain && /^[1-9]\d{0,5}$/.test(String(value)) && Number(value) <= max) return Number(value);
  throw new Error(`context \`${key}\` must be a whole number from 1 to ${max}`);
}

function readDomain(context: (key: string) => unknown): CustomDomain | undefined {
  const name = readText(context, 'domainName');
  if (name === undefined) return undefined;
  if (!DOMAIN_NAME.test(name)) throw new Error(`context \`domainName\`: \`${name}\` is not a domain name`);
  const certificateArn = readText(context, 'certificateArn');
  if (certificateArn === undefined) throw new Error('context `domainName` needs `certificateArn`');
  return { name, certificateArn, hostedZoneId: readText(context, 'hostedZoneId') };
}

function readText(context: (key: string) => unknown, key: string): string | undefined {
  const value = context(key);
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw new Error(`context \`${key}\` must be a string`);
  return value;
}

function isWebOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { origin, protocol, hostname } = new URL(text);
  if (origin !== text) return false;
  return hostname === 'localhost' || (protocol === 'https:' && DOMAIN_NAME.test(hostname));
}
