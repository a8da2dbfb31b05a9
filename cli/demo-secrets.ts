import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { err, ok, type Result } from '../functions/core/result.ts';
import { parseJson } from './http.ts';
import { type Failure, failed, reasonOf } from './outcome.ts';

const Secrets = z.record(z.string(), z.string().min(16));
const DemoSecretsFile = z.object({ clients: Secrets, polygon: Secrets, weather: Secrets });

/** The secrets of the built-in demo: client id → secret, and per API client id → key. */
export type DemoSecrets = z.infer<typeof DemoSecretsFile>;

/** Who has what in the demo: the clients of `config/clients.yml` and the API keys of the agents among them. */
const HOLDERS = {
  clients: ['analyst', 'trader', 'reader', 'librarian', 'fininfo-server', 'platform-admin'],
  polygon: ['analyst', 'trader', 'desktop'],
  weather: ['analyst', 'trader', 'reader', 'desktop'],
};

const FILE = 'demo-secrets.json';
const ORG = 'acme';

/**
 * The demo's secrets in the data directory, made at its first use: 256 random bits each, in a file that only its owner
 * reads. Makes the directory. A file that is damaged is an error and is left as it is.
 */
export async function loadDemoSecrets(dataDirectory: string): Promise<Result<DemoSecrets, Failure>> {
  const path = join(dataDirectory, FILE);
  try {
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
    const made = JSON.stringify(makeSecrets(), undefined, 2);
    await writeFile(path, `${made}\n`, { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
      if (!isCode(error, 'EEXIST')) throw error;
    });
    const parsed = DemoSecretsFile.safeParse(parseJson(await readFile(path, 'utf8')));
    if (parsed.success) return ok(parsed.data);
    return err(failed(`${path} is not what the demo wrote; remove it to start with new secrets`));
  } catch (error) {
    return err(failed(`cannot use the data directory ${dataDirectory}: ${reasonOf(error)}`));
  }
}

/** The secret of one demo client, where a demo has run on this data directory. */
export async function readDemoSecret(dataDirectory: string, clientId: string): Promise<string | undefined> {
  const text = await readFile(join(dataDirectory, FILE), 'utf8').catch(() => '{}');
  const parsed = DemoSecretsFile.safeParse(parseJson(text));
  return parsed.success && Object.hasOwn(parsed.data.clients, clientId)
    ? parsed.data.clients[clientId]
    : undefined;
}

/** The demo's secrets as Secrets Manager holds them: full name → value. */
export function toNamedSecrets(
  { clients, polygon, weather }: DemoSecrets,
  stage: string,
): Map<string, string> {
  const credential = (service: string, clientId: string) =>
    `sallyport/${stage}/credentials/${ORG}/${service}/client.${clientId}`;
  return new Map([
    ...Object.entries(clients).map(([id, secret]) => [`sallyport/${stage}/clients/${id}`, secret] as const),
    ...Object.entries(polygon).map(
      ([id, key]) => [credential('polygon', id), JSON.stringify({ type: 'bearer', token: key })] as const,
    ),
    ...Object.entries(weather).map(
      ([id, key]) =>
        [
          credential('weather', id),
          JSON.stringify({ type: 'header', name: 'X-Api-Key', value: key }),
        ] as const,
    ),
  ]);
}

function makeSecrets(): DemoSecrets {
  const secretsFor = (holders: readonly string[]) =>
    Object.fromEntries(holders.map((holder) => [holder, randomBytes(32).toString('base64url')]));
  return {
    clients: secretsFor(HOLDERS.clients),
    polygon: secretsFor(HOLDERS.polygon),
    weather: secretsFor(HOLDERS.weather),
  };
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
