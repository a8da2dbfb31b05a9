import { companyEntry } from './idp-oidc.ts';
import { APP_REDIRECT, type LoginCloud, startLoginCloud } from './login-cloud.ts';
import { type OfficeIdp, startOfficeIdp } from './office-idp.ts';

/** A {@link LoginCloud} with a client for every grant, and an identity provider that gives assertions about `kim`, who trades. */
export type GrantCloud = LoginCloud & { readonly office: OfficeIdp };

/** Starts one. `office-program` is what the client `errand` is called at the office. */
export async function startGrantCloud(): Promise<GrantCloud> {
  const office = await startOfficeIdp({ kim: ['traders'] }, { 'office-program': 'errand' });
  const scopes = ['desk/read', 'desk/execute'];
  const makers = [...scopes, 'tokens/issue'];
  const entries = {
    'my-agent': { grants: ['client_credentials'] },
    workbench: {
      grants: ['authorization_code', 'refresh_token'],
      redirect_uris: [APP_REDIRECT],
      audience: 'gateway',
    },
    broker: { grants: ['token-exchange'], exchange_from: ['workbench'] },
    robot: { grants: ['client_credentials'], scopes: makers, audience: 'gateway' },
    'prices-server': { grants: ['client_credentials'], scopes: [], server: 'prices', audience: 'gateway' },
    errand: { grants: ['jwt-bearer'] },
  };
  const secretClients = Object.fromEntries(
    Object.entries(entries).map(([id, entry]) => [
      id,
      { org: 'acme', secret: { ref: `sallyport/{stage}/clients/${id}` }, scopes, ...entry },
    ]),
  );
  const keys = { client_secret: undefined, jwks_url: `${office.issuer}/jwks` };
  const cloud = await startLoginCloud({ secretClients, idps: { office: companyEntry(office.issuer, keys) } });
  return {
    ...cloud,
    office,
    async close() {
      await Promise.all([cloud.close(), office.close()]);
    },
  };
}
