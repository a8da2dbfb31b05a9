import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { CLOSED_REGISTRATION } from '../../functions/core/open-client.ts';
import { type LoginApp, startLoginApp } from '../support/login-app.ts';

const EDGE = '130.176.0.9';
const NAME = 'sallyport/prod/edge-1';
const SECRET = 'what-cloudfront-sends';

let login: LoginApp;

beforeAll(async () => {
  const registration = { ...CLOSED_REGISTRATION, dynamic: true, scopes: ['maps/read'] };
  login = await startLoginApp(() => ({ registration }));
  Object.assign(login.app.ports, { edgeSecret: NAME });
  login.app.secrets.set(NAME, SECRET);
});
afterAll(() => login?.close());

/** Registers as often as one address may, and once more; answers with how the last of them ended. */
async function useUp(from: (attempt: number) => { edge?: string; viewer: string; proof?: string }) {
  const { app } = login;
  app.nowSeconds += 3_600;
  let status = 0;
  for (let attempt = 0; attempt < 21; attempt += 1) {
    const { edge = EDGE, viewer, proof } = from(attempt);
    app.sourceIp = edge;
    const response = await app.fetch('/oauth/register', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-forwarded-for': `${viewer}, ${edge}`,
        ...(proof === undefined ? {} : { 'x-sallyport-edge': proof }),
      },
      body: JSON.stringify({ redirect_uris: ['https://app.example.com/cb'] }),
    });
    status = response.status;
  }
  return status;
}

test('viewers behind one edge do not share their limits', async () => {
  expect(await useUp((attempt) => ({ viewer: `203.0.113.${attempt}`, proof: SECRET }))).toBe(201);
});

test('a viewer has one limit, whichever edge it comes through and whatever it says of itself', async () => {
  const edges = (attempt: number) => `130.176.0.${attempt}`;
  expect(await useUp((attempt) => ({ edge: edges(attempt), viewer: '203.0.113.7', proof: SECRET }))).toBe(
    429,
  );
  expect(await useUp((attempt) => ({ viewer: `1.1.1.${attempt}, 203.0.113.7`, proof: SECRET }))).toBe(429);
});

test.for<readonly [string, string | undefined]>([
  ['without the proof', undefined],
  ['with another proof', 'what-cloudfront-sent'],
  ['with an empty proof', ''],
  ['with the proof twice', `${SECRET}, ${SECRET}`],
])('%s a request comes from where its connection does', async ([, proof]) => {
  expect(
    await useUp((attempt) => ({ viewer: `203.0.113.${attempt}`, ...(proof !== undefined && { proof }) })),
  ).toBe(429);
});

test('nobody is believed while the secret cannot be read', async () => {
  login.app.secretFailure = 'unavailable';
  onTestFinished(() => {
    login.app.secretFailure = undefined;
  });
  expect(await useUp((attempt) => ({ viewer: `203.0.113.${attempt}`, proof: SECRET }))).toBe(429);
});

test('nobody is believed where there is no CloudFront of ours, and no secret is read', async () => {
  Object.assign(login.app.ports, { edgeSecret: '' });
  onTestFinished(() => void Object.assign(login.app.ports, { edgeSecret: NAME }));
  login.app.secretsRead.length = 0;
  expect(await useUp((attempt) => ({ viewer: `203.0.113.${attempt}`, proof: SECRET }))).toBe(429);
  expect(login.app.secretsRead).toEqual([]);
});
