import { expect, test } from 'vitest';
import { echoOf } from '../../functions/core/echo.ts';
import { namedError } from '../../functions/core/oauth-error.ts';

test.for(['invalid_grant', 'access_denied', 'login_required', 'bad_verification_code'])(
  'an error that is known is named: %s',
  (error) => {
    expect(namedError(error)).toBe(error);
  },
);

test.for([undefined, '', 'INVALID_GRANT', 'refresh-token-1', 'no\nsuch\u202egrant', 'constructor'])(
  'nothing else that a provider writes there is: %j',
  (error) => {
    expect(namedError(error)).toBe('no known error code');
  },
);

test('an echo has a secret in it, whole, wherever it is', () => {
  const isEcho = echoOf(['secret-0123', undefined, 'read', '']);
  expect(['secret-0123', 'a:secret-0123:b', 'secret-012', 'read:orders', ''].map(isEcho)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});
