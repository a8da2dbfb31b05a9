import { publishKeys } from '../../functions/core/key-rotation.ts';
import { Policy, type Snapshot } from '../../functions/core/policy.ts';
import { ok } from '../../functions/core/result.ts';
import type { IssuerPorts } from '../../functions/handlers/issuer-ports.ts';
import { type IssuerApp, startIssuerApp } from './issuer-app.ts';
import { offered } from './offered-keys.ts';
import { clientEntry } from './policies.ts';
import { NOW_SECONDS } from './test-issuer.ts';

/** The issuer's app with a ring of keys in their two slots, as an administrator sees it. */
export type KeysApp = IssuerApp & {
  /** A token of `{org}-admin`, with the UI scopes `keeper` (manage_secrets on all) and `narrow` (on one server) unless others are said. */
  token(org?: string, scope?: string): string;
  /** Asks the admin door as `{org}-admin`. */
  ask(path: string, options?: { readonly key?: unknown; readonly token?: string }): Promise<Response>;
  /** `A1 signing, B1 standby` of the ring that is stored. */
  stored(purpose?: 'access' | 'identity'): Promise<string>;
};

/** Starts one whose keys were published at `NOW_SECONDS`, for these organisations with clients; `orgs` are those of `orgs.yml`. */
export async function startKeysApp(
  clientOrgs: readonly string[] = ['acme'],
  orgs: readonly string[] = [],
  changes: Partial<IssuerPorts> = {},
): Promise<KeysApp> {
  const snapshot: Snapshot = {
    format: 1,
    scopes: [],
    uiScopes: [
      ['keeper', [['manage_secrets', ['all']]]],
      ['narrow', [['manage_secrets', ['fininfo']]]],
      ['steward', [['manage_policy', ['all']]]],
    ],
    groups: [],
    servers: [],
    services: [],
    clients: clientOrgs.map((org) =>
      clientEntry(`${org}-admin`, { org, scopes: ['keeper', 'narrow', 'steward'] }),
    ),
    orgs: orgs.map((id) => ({ id, suspended: false })),
  };
  const pointer = { version: 1, source: 'dev', contentHash: '', chunks: 1, deployedHash: undefined } as const;
  const app = await startIssuerApp(new Policy(snapshot, 1), {
    policies: { readPointer: async () => ok(pointer), readSnapshot: async () => ok(snapshot) },
    ...changes,
  });
  const first = ['issuer A1', 'issuer B1', 'identity A1', 'identity B1'].map(offered);
  const published = await app.ports.keyRing.change<never>((ring) =>
    ok(publishKeys(ring, first, NOW_SECONDS)),
  );
  if (!published.ok) throw new Error("the test's own ring cannot be written");
  const token = (org = 'acme', scope = 'keeper') =>
    app.issuer.accessToken({
      sub: `${org}-admin`,
      client_id: `${org}-admin`,
      org_id: org,
      scope,
      iat: app.nowSeconds,
      exp: app.nowSeconds + 300,
    });
  return Object.assign(app, {
    token,
    ask(path: string, { key, token: given = token() }: { key?: unknown; token?: string } = {}) {
      const headers = { authorization: `Bearer ${given}` };
      const body = key === undefined ? {} : { method: 'POST', body: JSON.stringify({ key }) };
      return app.fetch(`/admin/keys${path}`, { headers, ...body });
    },
    async stored(purpose: 'access' | 'identity' = 'access') {
      const ring = await app.ports.keyRing.read();
      if (!ring.ok) throw new Error(ring.error.detail);
      const ofPurpose = ring.value.filter((key) => key.purpose === purpose);
      return ofPurpose.map(({ slot, generation, state }) => `${slot}${generation} ${state}`).join(', ');
    },
  });
}
