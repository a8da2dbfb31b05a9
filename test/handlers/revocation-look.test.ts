import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RevocableToken } from '../../functions/core/ports.ts';
import { ok } from '../../functions/core/result.ts';
import { lookForRevocation } from '../../functions/handlers/revocation-look.ts';
import { policyOf } from '../support/policies.ts';

const FUNCTIONS = join(import.meta.dirname, '..', '..', 'functions');

test('every door of every function looks here, so that none forgets a name', () => {
  const looking = globSync('**/*.ts', { cwd: FUNCTIONS }).filter((path) =>
    readFileSync(join(FUNCTIONS, path), 'utf8').includes('.isRevoked('),
  );
  expect(looking).toEqual(['handlers/revocation-look.ts']);
});

test('a look has the teams of every party, by name and by group, and those that the token names', async () => {
  const team = { org: 'acme', members: [], groups: [], parent: undefined, inherit: false };
  const policy = policyOf({
    teams: [
      { ...team, name: 'by-name', members: ['corp:ann'] },
      { ...team, name: 'by-group', groups: ['staff'] },
      { ...team, name: 'of-actor', members: ['relay'] },
      { ...team, name: 'of-nobody', members: ['other'] },
    ],
  });
  const asked: RevocableToken[] = [];
  const revocations = {
    isRevoked: async (token: RevocableToken, options?: { readonly fresh?: boolean }) => {
      asked.push(token);
      return ok(options?.fresh === true);
    },
    revoke: async () => ok(undefined),
  };
  const about = {
    orgId: 'acme',
    jti: 'j',
    clientId: 'desk',
    subject: 'corp:ann',
    issuedAtSeconds: 1,
    expiresAtSeconds: 2,
  };
  const token = { ...about, groups: ['staff'], actors: ['relay'], teams: ['gone'] };
  expect(await lookForRevocation(revocations, policy, token, { fresh: true })).toEqual(ok(true));
  expect(await lookForRevocation(revocations, policy, about)).toEqual(ok(false));
  expect(asked.map(({ teams = [] }) => [...teams].sort())).toEqual([
    ['by-group', 'by-name', 'gone', 'of-actor'],
    ['by-name'],
  ]);
});
