// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the configuration
import { expect, test } from 'vitest';
import { findSecretVariables } from '../../cli/secret-variables.ts';

test.for([
  ['client_secret: ${A}'],
  ['client_secret: "${A}"'],
  ['client_secret:\n  ${A}'],
  ['client_secret:\n\n  # the secret\n  ${A}'],
  ['client_secret: >-\n  ${A}'],
  ['"client_secret": ${A}'],
  ['? client_secret\n: ${A}'],
  ['okta: { client_id: ${B}, client_secret: ${A} }'],
  ['token: ${A}'],
  ['access_token: ${A}'],
  ['refresh-token: ${A}'],
  ['api_key: ${A}'],
  ['apiKey: ${A}'],
  ['secret_key: ${A}'],
  ['aws_access_key: ${A}'],
  ['password: ${A}'],
  ['private_key: |\n  ${A}\n  ${B}', ['A', 'B']],
  ['credentials:\n  user: ${A}\n  rest: [{ x: ${B} }]', ['A', 'B']],
  ['headers:\n  Authorization: Bearer ${A}'],
  ['x: &x ${A}\nclient_secret: *x'],
  ['base: &base\n  client_secret: ${A}\nokta:\n  <<: *base'],
  ['client_secret: ${A:-sallyport/{stage}/x}'],
  ['client_secret: ${A}\nclient_id: ${A}'],
  ['client_id: ${A}\nclient_secret: [', ['A']],
  ['x: &x [*x, ${A}]'],
  ['x: &k client_secret\n*k : "${A}"'],
  ['? { client_secret: "${A}" }\n: x'],
  ['"${B:-client_secret}": "${A}"'],
  ['client_secret: "\\ue0005${A}"'],
  ['client_secret: "\ue0005${A}"'],
  ['client_secret: { "${A}": x }'],
  ['---\nclient_id: ${A}\n---\nclient_id: ${B}', ['A', 'B']],
] as const)('%j has secrets', ([text, names = ['A']]) => {
  expect([...findSecretVariables(text)].sort()).toEqual(names);
});

test.for([
  'client_id: ${A}',
  'token_url: https://${A}/token',
  'token_headers: { Accept: ${A} }',
  'scopes: [${A}]',
  '# client_secret: ${A}',
  'client_id: ${A} # client_secret: ${B}',
  'client_secret: literal\nauth_url: ${A}',
  'description: "my client_secret: ${A}"',
  '',
])('%j has none', (text) => {
  expect([...findSecretVariables(text)]).toEqual([]);
});
