import { describe, expect, test } from 'vitest';
import { Caller } from '../../functions/core/caller.ts';
import { admits, CLOSED_REGISTRATION, NO_ORG, type Registration } from '../../functions/core/open-client.ts';
import { identityProvider } from '../support/logins.ts';
import { clientEntry, policyOf } from '../support/policies.ts';
import { TestIssuer } from '../support/test-issuer.ts';

const DOCUMENT = 'https://app.example.com/client.json';
const OTHER = 'https://other.example.com/client.json';
const open: Registration = { ...CLOSED_REGISTRATION, metadataDocuments: true, dynamic: true };

describe('a registration admits', () => {
  test.for<readonly [string, Partial<Registration>, readonly boolean[]]>([
    ['both classes', {}, [true, true, true]],
    ['documents alone', { dynamic: false }, [true, true, false]],
    ['registered ones alone', { metadataDocuments: false }, [false, false, true]],
    ['the documents of one host', { hosts: ['app.example.com'] }, [true, false, true]],
    ['documents of a host by its port', { hosts: ['app.example.com:8443'] }, [false, false, true]],
    ['nobody', { metadataDocuments: false, dynamic: false }, [false, false, false]],
  ])('%s', ([, changes, admitted]) => {
    const registration = { ...open, ...changes };
    expect([DOCUMENT, OTHER, 'dyn.abc'].map((id) => admits(registration, id))).toEqual(admitted);
  });

  test('no id that is no URL of a document, and no client of the configuration', () => {
    for (const id of ['courier', 'https://app.example.com/', 'http://127.0.0.1/c', `${DOCUMENT}#x`, '']) {
      expect(admits(open, id)).toBe(false);
    }
    expect(admits({ ...open, allowPrivate: true }, 'http://127.0.0.1/c')).toBe(true);
  });

  test('nobody where nothing is said', () => {
    expect([DOCUMENT, 'dyn.abc'].some((id) => admits(CLOSED_REGISTRATION, id))).toBe(false);
    expect(policyOf().findClient(DOCUMENT, 'acme')).toBe(undefined);
  });
});

describe('the policy finds', () => {
  const policy = policyOf({
    registration: { ...open, scopes: ['maps/read'] },
    clients: [
      clientEntry('courier'),
      clientEntry(OTHER, { scopes: ['maps/execute'], disabled: true }),
      clientEntry('dyn.banned', { disabled: true }),
    ],
    orgs: [
      { id: 'acme', suspended: false },
      { id: 'globex', suspended: false },
    ],
  });

  test('an open client as one of whichever organisation its user is of, with what they all may have', () => {
    for (const org of ['acme', 'globex']) {
      expect(policy.findClient(DOCUMENT, org)).toMatchObject({
        id: DOCUMENT,
        org,
        auth: 'none',
        secretName: '',
        grants: ['authorization_code', 'refresh_token'],
        scopes: ['maps/read'],
        groups: [],
        audience: 'resource',
        disabled: false,
      });
    }
    expect(policy.openClient(DOCUMENT)?.org).toBe(NO_ORG);
  });

  test('no client in an organisation that is none', () => {
    expect(policy.findClient(DOCUMENT, 'initech')).toBe(undefined);
    expect(policy.findClient('courier', 'initech')).toBe(undefined);
  });

  test('a client of the configuration in its own organisation alone', () => {
    expect(policy.findClient('courier', 'acme')?.id).toBe('courier');
    expect(policy.findClient('courier', 'globex')).toBe(undefined);
    expect(policy.findClient('courier', NO_ORG)).toBe(undefined);
  });

  test('an open client by its own entry where it has one, which binds it to one organisation', () => {
    expect(policy.findClient(OTHER, 'acme')).toMatchObject({ scopes: ['maps/execute'], disabled: true });
    expect(policy.findClient(OTHER, 'globex')).toBe(undefined);
    expect(policy.findClient('dyn.banned', 'acme')?.disabled).toBe(true);
  });
});

describe('a token of an open client', () => {
  const issuer = new TestIssuer();
  const callerOf = (
    registration: Registration,
    changes: Parameters<typeof clientEntry>[1] | undefined = undefined,
  ) => {
    const clients = changes === undefined ? [] : [clientEntry(DOCUMENT, changes)];
    const token = issuer.verified({
      client_id: DOCUMENT,
      sub: 'okta:alice',
      scope: 'maps/read maps/execute',
      groups: ['staff'],
    });
    const groups = [['staff', ['maps/read', 'maps/execute']]] as const;
    const idps = [identityProvider('okta')];
    const caller = Caller.fromToken(token, policyOf({ registration, clients, groups, idps }));
    return caller.ok ? caller.value : caller.error.reason;
  };

  test('stands for its user, with the scopes that such clients may have', () => {
    expect(callerOf({ ...open, scopes: ['maps/read'] })).toMatchObject({
      kind: 'user',
      orgId: 'acme',
      clientId: DOCUMENT,
      scopes: ['maps/read'],
      isGatewayClient: false,
    });
  });

  test.for<readonly [string, Registration, Parameters<typeof clientEntry>[1], string]>([
    ['its class is switched off', { ...open, metadataDocuments: false }, undefined, 'unknown_client'],
    [
      'its host is not listed any more',
      { ...open, hosts: ['other.example.com'] },
      undefined,
      'unknown_client',
    ],
    ['its entry is disabled', open, { disabled: true }, 'client_disabled'],
    ['its entry is of another organisation', open, { org: 'globex' }, 'org_mismatch'],
    [
      'its class is off, whatever its entry says',
      { ...open, metadataDocuments: false },
      { scopes: ['maps/read'] },
      'unknown_client',
    ],
  ])('stands for nobody once %s', ([, registration, entry, reason]) => {
    expect(callerOf(registration, entry)).toBe(reason);
  });
});
