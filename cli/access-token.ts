import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { err, ok, type Result } from '../functions/core/result.ts';
import { readDemoSecret } from './demo-secrets.ts';
import { refusalOf, send } from './http.ts';
import { isLoopback } from './origin.ts';
import { type Failure, failed, misused, reasonOf } from './outcome.ts';
import type { Terminal } from './terminal.ts';
import type { Arguments, Option } from './verb.ts';

/** What a token is asked for; `resource` and `scope` as in RFC 8707 and RFC 6749 §3.3, `teams` as in docs/teams.md. */
export type TokenRequest = {
  readonly scope?: string | undefined;
  readonly resource?: string | undefined;
  readonly teams?: string | undefined;
};

/** An answer of the token endpoint, whole. */
export type IssuedToken = { readonly access_token: string; readonly [member: string]: unknown };

/** How a client says who it is, in every verb that may ask for a token. */
export const CLIENT_OPTIONS: readonly Option[] = [
  { name: 'client', value: 'ID', help: 'the client that asks for a token' },
  { name: 'secret-file', value: 'FILE', help: 'file with its secret; - for standard input' },
  { name: 'auth', value: 'METHOD', help: 'client_secret_basic (default) or client_secret_post' },
  {
    name: 'data',
    value: 'DIR',
    help: 'data directory of `sallyport dev`, for demo secrets (default .sallyport)',
  },
];

/** How a verb gets the token that it calls with. */
export const TOKEN_OPTIONS: readonly Option[] = [
  { name: 'token-file', value: 'FILE', help: 'file with an access token; - for standard input' },
  ...CLIENT_OPTIONS,
];

const Issued = z.looseObject({ access_token: z.string().min(1) });

/**
 * The token to call with: `--token-file`, else one for `--client`, else `SALLYPORT_TOKEN`; undefined where none is given.
 */
export async function readToken(
  input: Arguments,
  terminal: Terminal,
  origin: string,
  request: TokenRequest = {},
): Promise<Result<string | undefined, Failure>> {
  const file = input.text('token-file');
  if (file !== undefined) return readSecretFile(file, 'token-file', terminal);
  if (input.text('client') === undefined) return ok(terminal.env['SALLYPORT_TOKEN'] || undefined);
  const issued = await requestToken(input, terminal, origin, request);
  return issued.ok ? ok(issued.value.access_token) : issued;
}

/** Asks the token endpoint for a token of the client `--client` (RFC 6749 §4.4). */
export async function requestToken(
  input: Arguments,
  terminal: Terminal,
  origin: string,
  { scope, resource, teams }: TokenRequest,
): Promise<Result<IssuedToken, Failure>> {
  const clientId = input.text('client');
  if (clientId === undefined) return err(misused('`--client ID` is missing'));
  const method = input.text('auth') ?? 'client_secret_basic';
  if (method !== 'client_secret_basic' && method !== 'client_secret_post') {
    return err(misused('`--auth` is client_secret_basic or client_secret_post'));
  }
  const secret = await readClientSecret(input, terminal, origin, clientId);
  if (!secret.ok) return secret;
  const body = new URLSearchParams({ grant_type: 'client_credentials' });
  if (scope !== undefined) body.set('scope', scope);
  if (resource !== undefined) body.set('resource', resource);
  if (teams !== undefined) body.set('teams', teams);
  const headers = new Headers();
  if (method === 'client_secret_post') {
    body.set('client_id', clientId);
    body.set('client_secret', secret.value);
  } else {
    // RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
    const halves = [clientId, secret.value].map((half) => new URLSearchParams({ half }).toString().slice(5));
    headers.set('authorization', `Basic ${Buffer.from(halves.join(':')).toString('base64')}`);
  }
  const answer = await send(`${origin}/oauth/token`, { method: 'POST', headers, body });
  if (!answer.ok) return answer;
  const issued = Issued.safeParse(answer.value.body);
  if (answer.value.status === 200 && issued.success) return ok(issued.data);
  const refusal = refusalOf(answer.value);
  const error = refusal.json?.['error'];
  if (resource === undefined && error === 'invalid_target') {
    return err({ ...refusal, details: [forOneServer(clientId)] });
  }
  const isOfShell = input.text('secret-file') === undefined && terminal.env['SALLYPORT_CLIENT_SECRET'];
  return err(isOfShell && error === 'invalid_client' ? { ...refusal, details: [OF_SHELL] } : refusal);
}

const OF_SHELL =
  'the secret came from SALLYPORT_CLIENT_SECRET, which the shell may have for another client; it goes before the demo’s';

function forOneServer(clientId: string): string {
  return `${clientId} gets tokens for one server at a time; this needs \`--server NAME\` where it can be said, else a client with \`audience: gateway\``;
}

/** File, else environment, else the demo's secret on this machine, else standard input. Never the command line. */
async function readClientSecret(
  input: Arguments,
  terminal: Terminal,
  origin: string,
  clientId: string,
): Promise<Result<string, Failure>> {
  const file = input.text('secret-file');
  if (file !== undefined) return readSecretFile(file, 'secret-file', terminal);
  const fromEnvironment = terminal.env['SALLYPORT_CLIENT_SECRET'];
  if (fromEnvironment) return ok(fromEnvironment);
  const data = input.text('data') ?? '.sallyport';
  const isHere = isLoopback(new URL(origin));
  const ofDemo = isHere
    ? `; ${data} has none of a demo: was it started (\`npm start\`), and with which \`--data\`?`
    : '';
  if (isHere) {
    const fromDemo = await readDemoSecret(data, clientId);
    if (fromDemo !== undefined) {
      terminal.note(`using the demo secret of ${clientId} in ${data}`);
      return ok(fromDemo);
    }
  }
  if (terminal.isInteractive) {
    return err(
      misused(
        `the client’s secret is missing: \`--secret-file FILE\`, SALLYPORT_CLIENT_SECRET, or standard input${ofDemo}`,
      ),
    );
  }
  terminal.note(`reading the secret of ${clientId} from standard input`);
  const secret = (await terminal.readInput()).trim();
  return secret === ''
    ? err(misused(`the secret of ${clientId} is missing: standard input is empty${ofDemo}`))
    : ok(secret);
}

async function readSecretFile(
  file: string,
  option: string,
  terminal: Terminal,
): Promise<Result<string, Failure>> {
  try {
    const text = file === '-' ? await terminal.readInput() : await readFile(file, 'utf8');
    const secret = text.trim();
    if (secret !== '') return ok(secret);
    return err(misused(`\`--${option} ${file}\` is empty`));
  } catch (error) {
    return err(failed(`cannot read \`--${option} ${file}\`: ${reasonOf(error)}`));
  }
}
