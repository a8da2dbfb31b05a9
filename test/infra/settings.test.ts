import { expect, test } from 'vitest';
import { readSettings } from '../../infra/settings.ts';

const CERTIFICATE = 'arn:aws:acm:eu-west-1:111122223333:certificate/one';

function read(context: Readonly<Record<string, unknown>>) {
  return readSettings((key) => context[key]);
}

const FIRST = { A: 1, B: 1 };

test('without any context: stage prod, no browser origin, no domain of its own, no VPC, the first keys', () => {
  const keyGenerations = { issuer: FIRST, identity: FIRST };
  const audit = { retentionDays: 365, checkpointMinutes: 1 };
  expect(read({})).toEqual({
    stage: 'prod',
    allowedOrigins: [],
    domain: undefined,
    keyGenerations,
    edgeGeneration: 1,
    audit,
    network: undefined,
  });
});

test('audit records are kept and sealed as it is said, as a text or a number', () => {
  const { audit } = read({ auditRetentionDays: '30', checkpointMinutes: 5 });
  expect(audit).toEqual({ retentionDays: 30, checkpointMinutes: 5 });
});

test('origins are separated by commas, with or without spaces', () => {
  const { allowedOrigins } = read({ allowedOrigins: 'https://a.example.com, http://localhost:6274,' });
  expect(allowedOrigins).toEqual(['https://a.example.com', 'http://localhost:6274']);
});

test('a custom domain comes with its certificate and perhaps its zone', () => {
  expect(read({ domainName: 'gate.example.com', certificateArn: CERTIFICATE }).domain).toEqual({
    name: 'gate.example.com',
    certificateArn: CERTIFICATE,
    hostedZoneId: undefined,
  });
});

test('a slot has the generation that is said, as a text or a number', () => {
  const { keyGenerations } = read({ issuerKeyA: '', issuerKeyB: '2', identityKeyA: 12 });
  expect(keyGenerations).toEqual({ issuer: { A: 1, B: 2 }, identity: { A: 12, B: 1 } });
});

test('CloudFront proves itself with the first secret unless another is asked for', () => {
  expect([read({}).edgeGeneration, read({ edgeSecret: 2 }).edgeGeneration]).toEqual([1, 2]);
});

test.for([
  [{ issuerKeyA: '0' }, /issuerKeyA/],
  [{ issuerKeyB: 'two' }, /issuerKeyB/],
  [{ identityKeyA: 1.5 }, /identityKeyA/],
  [{ identityKeyB: '-1' }, /identityKeyB/],
  [{ identityKeyB: ['2'] }, /identityKeyB/],
  [{ edgeSecret: 'x' }, /edgeSecret/],
  [{ auditRetentionDays: '0' }, /auditRetentionDays/],
  [{ auditRetentionDays: 3_651 }, /from 1 to 3650/],
  [{ auditRetentionDays: 'never' }, /auditRetentionDays/],
  [{ checkpointMinutes: '31' }, /from 1 to 30/],
  [{ checkpointMinutes: 0.5 }, /checkpointMinutes/],
  [{ stage: 'Prod' }, /stage/],
  [{ stage: '../prod' }, /stage/],
  [{ stage: 7 }, /stage/],
  [{ allowedOrigins: '*' }, /allowedOrigins/],
  [{ allowedOrigins: 'https://a.example.com/' }, /allowedOrigins/],
  [{ allowedOrigins: 'https://*.example.com' }, /allowedOrigins/],
  [{ allowedOrigins: 'http://a.example.com' }, /allowedOrigins/],
  [{ allowedOrigins: 'null' }, /allowedOrigins/],
  [{ allowedOrigins: ['https://a.example.com'] }, /allowedOrigins/],
  [{ domainName: 'gate.example.com' }, /certificateArn/],
  [{ domainName: 'https://gate.example.com', certificateArn: CERTIFICATE }, /domainName/],
  [
    {
      domainName: 'gate.example.com',
      certificateArn: CERTIFICATE,
      allowedOrigins: 'https://a.example.com,https://b.example.com',
    },
    /one origin/,
  ],
] as const)('%j stops the synthesis and is named', ([context, message]) => {
  expect(() => read(context)).toThrow(message);
});
