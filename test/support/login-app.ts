import { createHash } from 'node:crypto';
import { type CodeRecord, locateCode, readCodeRecord } from '../../functions/core/authorization-code.ts';
import type { ClientEntry, Snapshot } from '../../functions/core/policy.ts';
import type { IssuerPorts } from '../../functions/handlers/issuer-ports.ts';
import { BrowserAgent, type Shown } from './browser-agent.ts';
import { type ScriptedIdp, startScriptedIdp } from './idp-scripted.ts';
import { type IssuerApp, startIssuerApp } from './issuer-app.ts';
import { clientEntry, policyOf, scopeRule, serverEntry } from './policies.ts';
import { ORIGIN } from './test-issuer.ts';

export const REDIRECT = 'https://app.example.com/callback';
export const VERIFIER = 'v'.repeat(43);
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

/** The issuer over a policy with the client `app` and two identity providers of `acme` on loopback, `company` and `partner`. */
export type LoginApp = {
  readonly app: IssuerApp;
  readonly company: ScriptedIdp;
  readonly partner: ScriptedIdp;
  /** The policy's parts, to begin another app with. */
  readonly parts: Partial<Snapshot>;
  agent(): BrowserAgent;
  /** The code in an answer, as it is stored. */
  storedCode(answer: string): Promise<CodeRecord | undefined>;
  /** Consent, login and back, all honest; where it ends. */
  login(browser: BrowserAgent, changes?: Parameters): Promise<Shown>;
  close(): Promise<void>;
};

type Parameters = Readonly<Record<string, string | undefined>>;

/** A public client that users log in through. */
export function loginClient(id: string, changes: Partial<ClientEntry> = {}): ClientEntry {
  return clientEntry(id, {
    auth: 'none',
    grants: ['authorization_code', 'refresh_token'],
    scopes: ['maps/read', 'maps/execute'],
    redirectUris: [REDIRECT, 'http://127.0.0.1/callback', 'com.example.app:/callback'],
    audience: 'resource',
    ...changes,
  });
}

/** Starts one; `more` replaces parts of the policy. */
export async function startLoginApp(
  more: (idps: Readonly<Record<'company' | 'partner', ScriptedIdp>>) => Partial<Snapshot> = () => ({}),
  ports: Partial<IssuerPorts> = {},
): Promise<LoginApp> {
  const company = await startScriptedIdp('company');
  const partner = await startScriptedIdp('partner');
  const parts: Partial<Snapshot> = {
    scopes: [
      ['maps/read', [scopeRule('*', ['initialize', 'tools/list'])]],
      ['maps/execute', [scopeRule('*', ['tools/call'], ['draw'])]],
    ],
    uiScopes: [['admin', [['manage_policy', ['all']]]]],
    groups: [
      ['staff', ['maps/read', 'maps/execute', 'admin']],
      ['guests', ['maps/read']],
    ],
    servers: [serverEntry('maps'), serverEntry('secret', { org: 'globex' })],
    clients: [loginClient('app')],
    idps: [company.entry, partner.entry],
    ...more({ company, partner }),
  };
  const app = await startIssuerApp(policyOf(parts), ports);
  for (const name of ['company', 'partner']) app.secrets.set(`sallyport/prod/env/${name}`, `${name}-secret`);
  return {
    app,
    company,
    partner,
    parts,
    agent: () => agentOf(app),
    async storedCode(answer) {
      const place = locateCode(new URL(answer).searchParams.get('code') ?? '');
      if (place === undefined) return undefined;
      const record = await app.ports.records.read({ kind: 'CODE', ...place });
      return record.ok && record.value !== undefined ? readCodeRecord(record.value.text) : undefined;
    },
    async login(browser, changes) {
      const atIdp = await browser.submit(await browser.open(authorizeUrl(changes)));
      return browser.open(company.answerTo(company.read(atIdp.url)));
    },
    async close() {
      await Promise.all([app.close(), company.close(), partner.close()]);
    },
  };
}

/** A browser for this app; it stops at whatever is not ours. */
export function agentOf(app: IssuerApp): BrowserAgent {
  return new BrowserAgent(
    (url) => !url.startsWith(`${ORIGIN}/`),
    (url, init) => app.fetch(url.slice(ORIGIN.length), init),
  );
}

/** The URL that an honest client opens, but for the changes; `undefined` leaves a parameter out. */
export function authorizeUrl(changes: Parameters = {}): string {
  const query = new URLSearchParams();
  const parameters = {
    response_type: 'code',
    client_id: 'app',
    redirect_uri: REDIRECT,
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    resource: `${ORIGIN}/maps/mcp`,
    state: 'client-state',
    ...changes,
  };
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
  return `${ORIGIN}/oauth/authorize?${query}`;
}

/** The parameters of an answer to the client. */
export function answerOf(shown: Shown): Readonly<Record<string, string>> {
  return Object.fromEntries(new URL(shown.url).searchParams);
}
