import { expect, test } from 'vitest';
import { missingScopes } from '../../functions/core/granted-scopes.ts';
import type { Provider } from '../../functions/core/provider.ts';

type Row = {
  readonly what: string;
  readonly dialect?: NonNullable<Provider['scopeDialect']>;
  readonly granted: readonly string[];
  readonly asked?: readonly string[];
  readonly needed: readonly string[];
  readonly missing: readonly string[];
};

const ROWS: readonly Row[] = [
  { what: 'what was granted', granted: ['a', 'b'], needed: ['b'], missing: [] },
  { what: 'what was not', granted: ['a'], asked: ['a', 'b'], needed: ['a', 'b'], missing: ['b'] },
  { what: 'nothing needed', granted: [], needed: [], missing: [] },
  {
    what: 'what signs in, asked for and not named in the answer',
    granted: ['a'],
    asked: ['openid', 'offline_access', 'offline.access'],
    needed: ['openid', 'offline_access', 'offline.access', 'a'],
    missing: [],
  },
  { what: 'what signs in and was not asked for', granted: ['a'], needed: ['email'], missing: ['email'] },
  {
    what: 'Google’s other names',
    dialect: 'google',
    granted: ['https://www.googleapis.com/auth/userinfo.email', 'https://www.googleapis.com/auth/drive.file'],
    needed: ['email', 'profile', 'https://www.googleapis.com/auth/drive.file'],
    missing: ['profile'],
  },
  {
    what: 'Microsoft’s short and long names, in any case',
    dialect: 'microsoft',
    granted: ['https://graph.microsoft.com/Mail.Read', 'user.read'],
    needed: ['Mail.Read', 'User.Read', 'https://graph.microsoft.com/Mail.Send'],
    missing: ['https://graph.microsoft.com/Mail.Send'],
  },
  {
    what: 'what a wider scope of GitHub has',
    dialect: 'github',
    granted: ['user', 'repo', 'admin:org', 'write:packages'],
    needed: [
      'read:user',
      'user:email',
      'repo:status',
      'read:org',
      'write:org',
      'read:packages',
      'write:x',
      'gist',
    ],
    missing: ['write:x', 'gist'],
  },
  { what: 'no wider scope elsewhere', granted: ['user'], needed: ['read:user'], missing: ['read:user'] },
];

test.for(ROWS)('$what', ({ dialect, granted, asked = [], needed, missing }) => {
  const provider = dialect === undefined ? {} : { scopeDialect: dialect };
  expect(missingScopes(provider, { granted, asked }, needed)).toEqual(missing);
});
