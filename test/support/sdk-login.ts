import type { OAuthClientProvider } from '@modelcontextprotocol/client';
import type { OAuthClientProvider as OAuthClientProviderV1 } from '@modelcontextprotocol/sdk/client/auth.js';
import { APP_REDIRECT } from './login-cloud.ts';

type Discovery = Parameters<NonNullable<OAuthClientProvider['saveDiscoveryState']>>[0];
type Tokens = { access_token: string; token_type: string; refresh_token?: string; issuer?: string };

/** What an official client keeps of one login of a user. A browser would be opened at `authorizationUrl`. */
export class KeptLogin implements OAuthClientProvider, OAuthClientProviderV1 {
  authorizationUrl = '';
  readonly redirectUrl = APP_REDIRECT;
  readonly clientMetadata = {
    client_name: 'desk',
    redirect_uris: [APP_REDIRECT],
    token_endpoint_auth_method: 'none',
  };
  #client: { client_id: string; issuer?: string };
  #tokens: Tokens | undefined;
  #verifier = '';
  #discovery: Discovery | undefined;

  constructor(clientId: string) {
    this.#client = { client_id: clientId };
  }

  state = () => 'the-state-of-the-client';
  clientInformation = () => this.#client;
  saveClientInformation = (client: { client_id: string }) => {
    this.#client = client;
  };
  tokens = () => this.#tokens;
  saveTokens = (tokens: Tokens) => {
    this.#tokens = tokens;
  };
  redirectToAuthorization = (url: URL) => {
    this.authorizationUrl = url.href;
  };
  codeVerifier = () => this.#verifier;
  saveCodeVerifier = (verifier: string) => {
    this.#verifier = verifier;
  };
  discoveryState = () => this.#discovery;
  saveDiscoveryState = (state: Discovery) => {
    this.#discovery = state;
  };
}
