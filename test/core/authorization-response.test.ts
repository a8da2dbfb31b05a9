import { expect, test } from 'vitest';
import { codeResponse, errorResponse } from '../../functions/core/authorization-response.ts';

const ISSUER = 'https://gate.example.com';

test.for<readonly [string, string | undefined, string]>([
  ['https://app.example/cb', 's&1', 'https://app.example/cb?code=c-1&state=s%261&iss='],
  ['https://app.example/cb', undefined, 'https://app.example/cb?code=c-1&iss='],
  ['https://app.example/cb?x=%20y', '', 'https://app.example/cb?x=%20y&code=c-1&state=&iss='],
  ['com.example.app:/cb', 's', 'com.example.app:/cb?code=c-1&state=s&iss='],
])('a code goes to %s with the state %j that was sent', ([redirectUri, state, expected]) => {
  expect(codeResponse({ redirectUri, state }, 'c-1', ISSUER)).toBe(
    `${expected}${encodeURIComponent(ISSUER)}`,
  );
});

test('why there is none goes there too', () => {
  const refusal = { error: 'invalid_scope', description: 'none of these' } as const;
  const to = { redirectUri: 'https://app.example/cb', state: 's' };
  expect(new URL(errorResponse(to, refusal, ISSUER)).searchParams.toString()).toBe(
    `error=invalid_scope&error_description=none+of+these&state=s&iss=${encodeURIComponent(ISSUER)}`,
  );
});
