import { expect, test } from 'vitest';
import type { IdentityProvider } from '../../functions/core/identity-provider.ts';
import { comparePolicies } from '../../functions/core/plan/policy-changes.ts';
import type { Snapshot } from '../../functions/core/policy.ts';
import { providerEntry } from '../support/connect-app.ts';
import { snapshotOf } from '../support/policies.ts';

const COMPANY: IdentityProvider = {
  name: 'company',
  displayName: 'Company login',
  org: 'acme',
  private: false,
  clientId: 'company-client',
  clientSecretName: undefined,
  tokenAuth: 'client_secret_post',
  authUrl: 'https://login.example.net/authorize',
  tokenUrl: 'https://login.example.net/token',
  scopes: ['openid', 'email'],
  usernameClaim: 'email',
  proof: {
    kind: 'id_token',
    issuer: 'https://login.example.net',
    jwksUrl: 'https://login.example.net/keys',
    groupsClaim: 'groups',
  },
  acceptAccessTokens: undefined,
};

const linesOf = (before: Partial<Snapshot>, after: Partial<Snapshot>) =>
  comparePolicies(snapshotOf(before), snapshotOf(after)).map(
    ({ effect, part, name, text }) => `${effect} ${part}/${name}: ${text}`,
  );

const COMPANY_MEMBERS =
  '`displayName` "Company login", `clientId` "company-client", `tokenAuth` "client_secret_post", `authUrl` "https://login.example.net/authorize", `tokenUrl` "https://login.example.net/token", `scopes` ["openid","email"], `usernameClaim` "email", `proof` {"kind":"id_token","issuer":"https://login.example.net","jwksUrl":"https://login.example.net/keys","groupsClaim":"groups"}';

test.for<readonly [string, Partial<Snapshot>, readonly string[]]>([
  [
    'a provider says who connects there, and what it is, member by member',
    { providers: [providerEntry('track')] },
    [
      'gain providers/track: the provider track is new: users of every organisation connect accounts there; it has `displayName` "Track", `clientId` "track-client", `clientSecretName` "sallyport/{stage}/providers/track", `tokenAuth` "client_secret_post", `authUrl` "https://track.example.net/authorize", `tokenUrl` "https://track.example.net/token", `scopes` ["offline_access","read:orders"], `scopeSeparator` " "',
    ],
  ],
  [
    'a provider of one organisation, without the protection of PKCE',
    { providers: [providerEntry('mail', { org: 'beta', pkce: false })] },
    [
      expect.stringMatching(
        /^gain providers\/mail: the provider mail is new: users of beta connect accounts there, without PKCE; it has `displayName` "Mail", /,
      ),
    ],
  ],
  [
    'an identity provider says who logs in there',
    { idps: [COMPANY] },
    [
      `gain idps/company: the identity provider company is new: it logs users of acme in; it has ${COMPANY_MEMBERS}`,
    ],
  ],
  [
    'one where nobody logs in says what it would be if somebody did',
    { idps: [{ ...COMPANY, login: false, acceptAssertions: false }] },
    [
      `gain idps/company: the identity provider company is new: it vouches for users of acme, and nobody logs in there; its assertions are not taken; it has ${COMPANY_MEMBERS}`,
    ],
  ],
  [
    'what somebody wrote stands as JSON, and says nothing of its own',
    { providers: [providerEntry('track', { clientId: 'x\n  + nothing else changes' })] },
    [expect.stringContaining('`clientId` "x\\n  + nothing else changes"')],
  ],
])('what is new: %s', ([, after, lines]) => {
  expect(linesOf({}, after)).toEqual(lines);
});

test.for<readonly [string, Partial<Snapshot>, Partial<Snapshot>, readonly string[]]>([
  [
    'what goes takes its users along',
    { providers: [providerEntry('track'), providerEntry('beta-only', { org: 'beta' })], idps: [COMPANY] },
    {},
    [
      'loss idps/company: the identity provider company is gone: nobody of acme comes by it any more',
      'loss providers/track: the provider track is gone: users of every organisation have no connection there any more',
      'loss providers/beta-only: the provider beta-only is gone: users of beta have no connection there any more',
    ],
  ],
  [
    'each member that changes is shown',
    { providers: [providerEntry('track')], idps: [COMPANY] },
    {
      providers: [
        providerEntry('track', { tokenUrl: 'https://evil.example/token', scopes: ['offline_access'] }),
      ],
      idps: [{ ...COMPANY, displayName: 'Corp' }],
    },
    [
      'change idps/company: the identity provider company changes its `displayName` from "Company login" to "Corp"',
      'change providers/track: the provider track changes its `tokenUrl` from "https://track.example.net/token" to "https://evil.example/token"',
      'change providers/track: the provider track changes its `scopes`, no longer with read:orders',
    ],
  ],
])('%s', ([, before, after, lines]) => {
  expect(linesOf(before, after)).toEqual(lines);
});
