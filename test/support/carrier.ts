import type { Provider } from '../../functions/core/provider.ts';

/** A provider at which users connect, of nothing but names: nobody answers there. */
export const CARRIER: Provider = {
  name: 'carrier',
  displayName: 'The carrier',
  org: undefined,
  private: false,
  clientId: 'c-1',
  clientSecretName: undefined,
  tokenAuth: 'client_secret_post',
  authUrl: 'https://carrier.example/authorize',
  tokenUrl: 'https://carrier.example/token',
  scopes: ['parcels.read'],
  scopeSeparator: ' ',
  authParams: [],
  tokenHeaders: [],
  pkce: true,
};
