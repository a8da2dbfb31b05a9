import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { err, ok, type Result } from '../functions/core/result.ts';
import { openBrowser } from './browser.ts';
import { refusalOf, send } from './http.ts';
import { ORIGIN_OPTION, readOrigin } from './origin.ts';
import { type Failure, failed, misused, reasonOf } from './outcome.ts';
import { readPort } from './port.ts';
import { listenForRedirect, type RedirectListener } from './redirect-listener.ts';
import type { Terminal } from './terminal.ts';
import type { Verb } from './verb.ts';

const Metadata = z.looseObject({
  issuer: z.string(),
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  code_challenge_methods_supported: z.array(z.string()).default([]),
});
const Issued = z.looseObject({ access_token: z.string().min(1) });

/** The consent page and the provider's own each wait 10 minutes; so does this. */
const WAIT_MS = 600_000;

/** `sallyport login`: an access token of a person, by a login in the browser (RFC 8252). */
export const login: Verb = {
  name: 'login',
  summary: 'log in with the browser, and get a token of your own',
  usage: '[SERVER] [--client ID] [--scope "A B"]',
  positionals: { min: 0, max: 1 },
  options: [
    { name: 'client', value: 'ID', help: 'the public client to log in through (default desktop)' },
    { name: 'scope', value: 'SCOPES', help: 'scopes, separated by spaces (default: all that you may have)' },
    ORIGIN_OPTION,
    { name: 'port', value: 'PORT', help: 'where the browser comes back to on this machine (default: any)' },
    { name: 'no-browser', help: 'print the URL and open nothing' },
  ],
  examples: [
    ['a token for one server of the demo', 'sallyport login weather'],
    ['a token for the whole gateway, by a client that may have one', 'sallyport login --client cli'],
    ['the refresh token too, on a machine without a browser', 'sallyport login weather --no-browser --json'],
  ],
  notes: [
    'The client is one of `clients.yml` with `auth: none`, the grant authorization_code, and the redirect URI',
    'http://127.0.0.1/callback; its port does not matter. Nothing is stored: the token is printed and forgotten.',
    'Without a server the token is for the gateway itself, for a client with `audience: gateway`: your connections.',
    'To use it at once: sallyport login weather | sallyport mcp list weather --token-file -',
  ],
  async run(input, terminal) {
    const origin = readOrigin(input.text('origin'), terminal.env);
    if (!origin.ok) return origin;
    const [server] = input.positionals;
    if (server !== undefined && !/^[a-z0-9][a-z0-9_-]{0,62}$/.test(server))
      return err(misused(`\`${server}\` is not a server’s name`));
    const port = readPort(input.text('port') ?? '0');
    if (!port.ok) return port;
    const metadata = await readMetadata(origin.value);
    if (!metadata.ok) return metadata;
    const stop = AbortSignal.any([terminal.untilStopped(), AbortSignal.timeout(WAIT_MS)]);
    let listener: RedirectListener;
    try {
      listener = await listenForRedirect(port.value);
    } catch (error) {
      return err(failed(`cannot listen on 127.0.0.1:${port.value}: ${reasonOf(error)}`));
    }
    try {
      const issued = await logIn(metadata.value, listener, stop, terminal, {
        clientId: input.text('client') ?? 'desktop',
        scope: input.text('scope'),
        resource: server === undefined ? origin.value : `${origin.value}/${server}/mcp`,
        opensBrowser: !input.flag('no-browser'),
      });
      return issued.ok ? ok({ text: issued.value.access_token, json: issued.value }) : issued;
    } finally {
      listener.close();
    }
  },
};

type Wish = {
  readonly clientId: string;
  readonly scope: string | undefined;
  readonly resource: string;
  readonly opensBrowser: boolean;
};

async function logIn(
  metadata: z.infer<typeof Metadata>,
  listener: RedirectListener,
  stop: AbortSignal,
  terminal: Terminal,
  wish: Wish,
): Promise<Result<z.infer<typeof Issued>, Failure>> {
  const verifier = randomBytes(32).toString('base64url');
  const state = randomBytes(16).toString('base64url');
  const url = new URL(metadata.authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: wish.clientId,
    redirect_uri: listener.redirectUri,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    state,
    resource: wish.resource,
    ...(wish.scope === undefined ? {} : { scope: wish.scope }),
  }).toString();
  terminal.note('open this page to log in:');
  terminal.note(url.href);
  if (wish.opensBrowser) openBrowser(url.href);
  const query = await listener.waitFor(state, stop);
  if (query === undefined) return err(failed('nobody came back from the browser; run it again'));
  // RFC 9207 §2.4: an answer of another issuer is no answer, and its code goes nowhere.
  if (query.get('iss') !== metadata.issuer) return err(failed('the answer came from another issuer'));
  const refused = query.get('error');
  if (refused !== null) {
    const words = [refused, query.get('error_description')].filter((part) => part !== null).join(': ');
    return err(failed(words, { json: { error: refused } }));
  }
  const answer = await send(metadata.token_endpoint, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: query.get('code') ?? '',
      redirect_uri: listener.redirectUri,
      client_id: wish.clientId,
      code_verifier: verifier,
      resource: wish.resource,
    }),
  });
  if (!answer.ok) return answer;
  const issued = Issued.safeParse(answer.value.body);
  return answer.value.status === 200 && issued.success ? ok(issued.data) : err(refusalOf(answer.value));
}

/** The metadata of the gateway (RFC 8414 §3.3): it names itself, and everything that it names is at the same origin. */
async function readMetadata(origin: string): Promise<Result<z.infer<typeof Metadata>, Failure>> {
  const answer = await send(`${origin}/.well-known/oauth-authorization-server`, { method: 'GET' });
  if (!answer.ok) return answer;
  const metadata = Metadata.safeParse(answer.value.body);
  if (answer.value.status !== 200 || !metadata.success) return err(refusalOf(answer.value));
  const { issuer, authorization_endpoint, token_endpoint, code_challenge_methods_supported } = metadata.data;
  const isSame = [authorization_endpoint, token_endpoint].every((url) => URL.parse(url)?.origin === origin);
  if (issuer !== origin || !isSame)
    return err(failed(`${origin} says that it is ${issuer}; use that origin`));
  if (!code_challenge_methods_supported.includes('S256')) {
    return err(failed('nobody can log in there: no identity provider is configured (docs/login.md)'));
  }
  return ok(metadata.data);
}
