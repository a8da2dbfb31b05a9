/**
 * One module of the OpenID Foundation's conformance suite, which needs a server of its own and does not run here: the tests of ours that
 * ask the same (file, and a part of the title), or why nobody can ask it of us. Where we answer `otherwise` than the suite expects, the
 * tests hold that, and it is said why.
 */
export type OpenIdModule = { readonly module: string } & (
  | {
      readonly tests: readonly (readonly [file: string, title: string])[];
      readonly otherwise?: string;
    }
  | {
      readonly without: 'id tokens and userinfo' | 'request objects' | 'pushed requests' | 'DPoP and mTLS';
    }
);

/** The plan `oidcc-basic-certification-test-plan`, as far as it is about OAuth: we give no id tokens. */
// biome-ignore format: one row per test
export const BASIC_OP: readonly OpenIdModule[] = [
  { module: 'oidcc-server', tests: [
    ['conformance/authorization.test.ts', 'the public suite for authorization servers passes'],
    ['e2e/login.test.ts', 'gets a token for a user through %s'],
  ] },
  { module: 'oidcc-response-type-missing', tests: [['handlers/authorize.test.ts', 'no response type']] },
  { module: 'oidcc-idtoken-signature', without: 'id tokens and userinfo' },
  { module: 'oidcc-idtoken-unsigned', without: 'id tokens and userinfo' },
  { module: 'oidcc-userinfo-get', without: 'id tokens and userinfo' },
  { module: 'oidcc-userinfo-post-header', without: 'id tokens and userinfo' },
  { module: 'oidcc-userinfo-post-body', without: 'id tokens and userinfo' },
  { module: 'oidcc-ensure-request-without-nonce-succeeds-for-code-flow', tests: [['e2e/login.test.ts', 'gets a token for a user through %s']] },
  { module: 'oidcc-scope-profile', without: 'id tokens and userinfo' },
  { module: 'oidcc-scope-email', without: 'id tokens and userinfo' },
  { module: 'oidcc-scope-address', without: 'id tokens and userinfo' },
  { module: 'oidcc-scope-phone', without: 'id tokens and userinfo' },
  { module: 'oidcc-scope-all', without: 'id tokens and userinfo' },
  { module: 'oidcc-ensure-other-scope-order-succeeds', tests: [['handlers/oauth-attacks.test.ts', 'names its scopes in any order']] },
  { module: 'oidcc-display-page', tests: [['handlers/oauth-attacks.test.ts', 'may have parameters that nobody knows']] },
  { module: 'oidcc-display-popup', tests: [['handlers/oauth-attacks.test.ts', 'may have parameters that nobody knows']] },
  { module: 'oidcc-prompt-login', tests: [['handlers/authorize-login.test.ts', "['prompt=login', "]] },
  { module: 'oidcc-prompt-none-not-logged-in', tests: [['handlers/authorize.test.ts', "'login_required'"]] },
  { module: 'oidcc-prompt-none-logged-in', otherwise: 'who asks for consent every time cannot answer without a page',
    tests: [['handlers/authorize-login.test.ts', 'makes a request without a page ask for consent']] },
  { module: 'oidcc-max-age-1', without: 'id tokens and userinfo' },
  { module: 'oidcc-max-age-10000', without: 'id tokens and userinfo' },
  { module: 'oidcc-ensure-request-with-unknown-parameter-succeeds', tests: [['handlers/oauth-attacks.test.ts', 'may have parameters that nobody knows']] },
  { module: 'oidcc-id-token-hint', without: 'id tokens and userinfo' },
  { module: 'oidcc-login-hint', tests: [['handlers/oauth-attacks.test.ts', 'may have parameters that nobody knows']] },
  { module: 'oidcc-ui-locales', tests: [['handlers/oauth-attacks.test.ts', 'may have parameters that nobody knows']] },
  { module: 'oidcc-claims-locales', tests: [['handlers/oauth-attacks.test.ts', 'may have parameters that nobody knows']] },
  { module: 'oidcc-ensure-request-with-acr-values-succeeds', tests: [['handlers/oauth-attacks.test.ts', 'may have parameters that nobody knows']] },
  { module: 'oidcc-codereuse', tests: [['e2e/grants.test.ts', 'redeems a code once; the second time ends what the first one gave']] },
  { module: 'oidcc-codereuse-30seconds', tests: [['handlers/grants/authorization-code.test.ts', 'a code that comes a second time']] },
  { module: 'oidcc-ensure-registered-redirect-uri', tests: [['handlers/authorize.test.ts', 'another redirect URI']] },
  // OpenID Connect wants it; OAuth does not, and our sessions are in cookies that no form of another site brings.
  { module: 'oidcc-ensure-post-request-succeeds', tests: [['handlers/posted-request.test.ts', 'a request in a form is led to the same request in a link']] },
  { module: 'oidcc-server-client-secret-post', tests: [['e2e/oauth.test.ts', "clientId: 'poster'"]] },
  { module: 'oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported', tests: [['handlers/authorize.test.ts', 'request_uri_not_supported']] },
  { module: 'oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported', tests: [['handlers/authorize.test.ts', 'a request object']] },
  { module: 'oidcc-ensure-request-object-with-redirect-uri', tests: [['handlers/authorize.test.ts', 'a request object']] },
  { module: 'oidcc-claims-essential', without: 'id tokens and userinfo' },
  { module: 'oidcc-refresh-token', tests: [
    ['handlers/grants/refresh-token.test.ts', 'gives nothing to another client'],
    ['e2e/grants.test.ts', 'redeems a code, refreshes'],
  ] },
  { module: 'oidcc-ensure-request-with-valid-pkce-succeeds', tests: [['e2e/login.test.ts', 'gets a token for a user through %s']] },
];

/**
 * The plan `fapi2-security-profile-final-test-plan`, without what it asks under the law of one country alone: the most that its suite asks
 * of an OAuth server by itself. What it asks of assertions where requests are pushed is asked at our token endpoint.
 */
// biome-ignore format: one row per test
export const FAPI2: readonly OpenIdModule[] = [
  { module: 'discovery-end-point-verification', tests: [['conformance/authorization.test.ts', 'one document under both well-known names']] },
  { module: 'happy-flow', tests: [['e2e/sdk-oauth.test.ts', 'SDK 1.x, from the URL of the server alone to a tool,']] },
  { module: 'user-rejects-authentication', tests: [['e2e/login.test.ts', 'is told when the user does not want it']] },
  { module: 'ensure-authorization-request-without-nonce-success', without: 'id tokens and userinfo' },
  { module: 'ensure-authorization-request-with-64-char-nonce-success', without: 'id tokens and userinfo' },
  { module: 'ensure-authorization-request-with-long-nonce', without: 'id tokens and userinfo' },
  { module: 'test-claims-parameter-identity-claims', without: 'id tokens and userinfo' },
  { module: 'ensure-other-scope-order-succeeds', tests: [['handlers/oauth-attacks.test.ts', 'names its scopes in any order']] },
  { module: 'ensure-authorization-request-without-state-success', tests: [['handlers/oauth-attacks.test.ts', 'may have no state, and gets none']] },
  { module: 'access-token-type-header-case-sensitivity', tests: [['e2e/bad-tokens.test.ts', 'the scheme in lower case']] },
  { module: 'ensure-authorization-request-with-long-state', tests: [['e2e/oauth-attacks.test.ts', 'the longest request there may be goes all the way']] },
  { module: 'ensure-redirect-uri-in-authorization-request', tests: [['handlers/authorize.test.ts', 'no redirect URI']] },
  { module: 'ensure-registered-redirect-uri', tests: [['handlers/authorize.test.ts', 'a longer redirect URI']] },
  { module: 'plain-fapi-tolerate-unregistered-redirect-uri', without: 'pushed requests' },
  { module: 'ensure-response-type-code-idtoken-fails', tests: [['handlers/authorize.test.ts', 'a code and an id token']] },
  { module: 'ensure-response-type-token-fails', tests: [['handlers/authorize.test.ts', 'unsupported_response_type']] },
  { module: 'ensure-client-id-in-token-endpoint', tests: [['handlers/client-authentication.test.ts', 'may name itself in the body too, and is no other there']] },
  { module: 'ensure-authorization-code-is-bound-to-client', tests: [['handlers/grants/authorization-code.test.ts', 'to another client']] },
  { module: 'attempt-reuse-authorization-code-after-one-second', tests: [['handlers/grants/authorization-code.test.ts', 'a code that comes a second time']] },
  { module: 'ensure-token-endpoint-fails-with-expired-auth-code', tests: [['handlers/grants/authorization-code.test.ts', 'after 60 s']] },
  { module: 'ensure-pkce-code-verifier-required', tests: [['handlers/grants/authorization-code.test.ts', 'without a verifier']] },
  { module: 'incorrect-pkce-code-verifier-rejected', tests: [['handlers/grants/authorization-code.test.ts', 'with a wrong verifier']] },
  { module: 'par-ensure-pkce-required', tests: [['handlers/oauth-attacks.test.ts', 'without PKCE is refused, whether or not the client has a secret']] },
  { module: 'par-plain-pkce-rejected', tests: [['handlers/authorize.test.ts', 'the plain method']] },
  { module: 'par-without-duplicate-parameters', tests: [['handlers/authorize.test.ts', 'an unknown parameter twice']] },
  { module: 'refresh-token', otherwise: 'a refresh token that was used ends the login: public clients have nothing but it (RFC 9700 §4.14)', tests: [
    ['e2e/sdk-oauth.test.ts', 'refreshes without its user, and goes on in the same session'],
    ['handlers/grants/refresh-token.test.ts', 'gives nothing to another client'],
    ['handlers/grants/refresh-token.test.ts', 'ends the login: its tokens, and the newest refresh token too'],
  ] },
  { module: 'ensure-signed-client-assertion-with-RS256-fails', otherwise: 'RS256 is what most have (RFC 7518 §3.1), and FAPI alone forbids it',
    tests: [['core/client-assertion.test.ts', "['RS256', rsa]"]] },
  { module: 'ensure-client-assertion-in-token-endpoint', tests: [['handlers/client-authentication.test.ts', "['one that signs', 'signer']"]] },
  { module: 'ensure-client-assertion-with-exp-is-5-minutes-in-past-fails', tests: [
    ['core/client-assertion.test.ts', 'that has expired'],
    ['handlers/client-authentication.test.ts', 'uses an assertion once for as long as it lives'],
  ] },
  { module: 'ensure-client-assertion-with-wrong-aud-fails', tests: [['handlers/client-authentication.test.ts', 'an audience of another']] },
  { module: 'ensure-client-assertion-with-no-sub-fails', tests: [['core/client-assertion.test.ts', 'about nobody']] },
  { module: 'par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted', tests: [['core/client-assertion.test.ts', 'a clock that is a minute ahead']] },
  { module: 'par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails', tests: [['core/client-assertion.test.ts', 'that is not valid yet']] },
  { module: 'par-test-array-as-audience-fails', tests: [
    ['core/client-assertion.test.ts', 'for the issuer and another'],
    ['handlers/client-authentication.test.ts', 'an audience in a list'],
  ] },
  { module: 'par-test-par-endpoint-url-as-audience-fails', without: 'pushed requests' },
  { module: 'par-test-token-endpoint-url-as-audience-fails', tests: [['handlers/client-authentication.test.ts', 'the token endpoint as audience']] },
  { module: 'ensure-different-nonce-inside-and-outside-request-object', without: 'request objects' },
  { module: 'ensure-different-state-inside-and-outside-request-object', without: 'request objects' },
  { module: 'state-only-outside-request-object-not-used', without: 'request objects' },
  { module: 'ensure-request-object-without-redirect-uri-fails', without: 'request objects' },
  { module: 'ensure-unsigned-authorization-request-without-using-par-fails', without: 'pushed requests' },
  { module: 'par-attempt-reuse-request_uri', without: 'pushed requests' },
  { module: 'par-attempt-to-use-expired-request_uri', without: 'pushed requests' },
  { module: 'par-attempt-to-use-request_uri-for-different-client', without: 'pushed requests' },
  { module: 'par-authorization-request-containing-request_uri-form-param', without: 'pushed requests' },
  { module: 'par-attempt-invalid-http-method', without: 'pushed requests' },
  { module: 'par-ensure-reused-request-uri-prior-to-auth-completion-succeeds', without: 'pushed requests' },
  { module: 'ensure-holder-of-key-required', without: 'DPoP and mTLS' },
  { module: 'check-dpop-proof-nbf-exp', without: 'DPoP and mTLS' },
  { module: 'ensure-dpopproof-with-iat-10seconds-before-succeeds', without: 'DPoP and mTLS' },
  { module: 'ensure-dpopproof-with-iat-10seconds-after-succeeds', without: 'DPoP and mTLS' },
  { module: 'ensure-dpopproof-at-par-endpoint-binding-success', without: 'DPoP and mTLS' },
  { module: 'dpop-negative-tests', without: 'DPoP and mTLS' },
  { module: 'ensure-dpop-auth-code-binding-success', without: 'DPoP and mTLS' },
  { module: 'ensure-mismatched-dpop-jkt-fails', without: 'DPoP and mTLS' },
  { module: 'ensure-token-endpoint-fails-with-mismatched-dpop-jkt', without: 'DPoP and mTLS' },
  { module: 'ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt', without: 'DPoP and mTLS' },
];
