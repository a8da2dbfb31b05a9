import { callbackUrl, type IdentityProvider } from '../../core/identity-provider.ts';
import { LOGIN_SECONDS, type LoginTicket, loginSecrets } from '../../core/login-ticket.ts';
import { sealTicket, type TicketPorts } from './tickets.ts';

/** A login that goes to a provider now. `mustLogin`: whoever the provider has signed in shall prove it again. */
export type BegunLogin = {
  readonly browserId: string;
  readonly provider: IdentityProvider;
  readonly mustLogin: boolean;
  readonly origin: string;
};

/**
 * The address at the provider, with state, nonce and PKCE; undefined while no state can be sealed. `write` gives the text of the ticket that
 * comes back, with a secret and an end of its own.
 */
export async function addressOfLogin(
  ports: TicketPorts,
  { browserId, provider, mustLogin, origin }: BegunLogin,
  write: (fresh: Pick<LoginTicket, 'secret' | 'expiresAtSeconds'>) => string,
): Promise<string | undefined> {
  const secret = Buffer.from(ports.randomBytes(32)).toString('base64url');
  const expiresAtSeconds = Math.floor(ports.now() / 1000) + LOGIN_SECONDS;
  const place = { kind: 'login', idp: provider.name } as const;
  const state = await sealTicket(ports, place, browserId, write({ secret, expiresAtSeconds }));
  if (state === undefined) return undefined;
  const { nonce, codeChallenge } = loginSecrets({ secret });
  const isOidc = provider.proof.kind === 'id_token';
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: provider.clientId,
    redirect_uri: callbackUrl(provider, origin),
    scope: provider.scopes.join(' '),
    state,
    ...(isOidc ? { nonce } : {}),
    code_challenge: codeChallenge,
    code_challenge_method: 'S256',
    ...(isOidc && mustLogin ? { prompt: 'login' } : {}),
  });
  return `${provider.authUrl}?${query}`;
}
