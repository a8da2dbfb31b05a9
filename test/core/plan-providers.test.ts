import { expect, test } from 'vitest';
import type { IdentityProvider } from '../../functions/core/identity-provider.ts';
import { comparePolicies } from '../../functions/core/plan/policy-changes.ts';
import type { Snapshot } from '../../functions/core/policy.ts';
import { providerEntry } from '../support/connect-app.ts';

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

const none: Snapshot = {
  format: 1,
  scopes: [],
  uiScopes: [],
  groups: [],
  servers: [],
  services: [],
  clients: [],
  orgs: [],
};
const linesOf = (before: Partial<Snapshot>, after: Partial<Snapshot>) =>
  comparePolicies({ ...none, ...before }, { ...none, ...after }).map(
    ({ effect, part, name, text }) => `${effect} ${part}/${name}: ${text}`,
  );

test.for<readonly [string, Partial<Snapshot>, readonly string[]]>([
  [
    'a provider says where users connect, as whom, for what, and what else is sent',
    { providers: [providerEntry('track')] },
    [
      'gain providers/track: the provider track is new: users of every organisation connect accounts at https://track.example.net/authorize, where the client track-client asks for `offline_access read:orders`; tokens come from https://track.example.net/token; it has `clientSecretName` "sallyport/{stage}/providers/track", `tokenAuth` "client_secret_post", `pkce` true',
    ],
  ],
  [
    'a provider of one organisation, which is asked for nothing',
    { providers: [providerEntry('mail', { org: 'beta', scopes: [], private: true })] },
    [
      'gain providers/mail: the provider mail is new: users of beta connect accounts at https://mail.example.net/authorize, where the client mail-client asks for no scope; tokens come from https://mail.example.net/token; it has `private` true, `clientSecretName` "sallyport/{stage}/providers/mail", `tokenAuth` "client_secret_post", `pkce` true',
    ],
  ],
  [
    'scopes stand as they are asked for',
    { providers: [providerEntry('track', { scopes: ['a', 'b'], scopeSeparator: ',' })] },
    [expect.stringContaining('asks for `a,b`;')],
  ],
  [
    'an identity provider says who logs in where',
    { idps: [COMPANY] },
    [
      'gain idps/company: the identity provider company is new: users of acme log in at https://login.example.net/authorize, as the client company-client asks for `openid email`; tokens come from https://login.example.net/token; it has `tokenAuth` "client_secret_post", `usernameClaim` "email", `proof` {"kind":"id_token","issuer":"https://login.example.net","jwksUrl":"https://login.example.net/keys","groupsClaim":"groups"}',
    ],
  ],
  [
    'one where nobody logs in vouches all the same',
    { idps: [{ ...COMPANY, login: false }] },
    [
      expect.stringMatching(
        /^gain idps\/company: the identity provider company is new: it vouches for users of acme, and nobody logs in there; /,
      ),
    ],
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
