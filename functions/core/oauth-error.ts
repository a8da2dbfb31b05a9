/**
 * Errors that an authorization or token endpoint may name: RFC 6749 §4.1.2.1 and §5.2, RFC 8707 §2, OpenID Connect Core §3.1.2.6, and
 * those of GitHub and Slack that say what to do.
 */
const KNOWN_ERRORS: ReadonlySet<string> = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'access_denied',
  'unsupported_response_type',
  'server_error',
  'temporarily_unavailable',
  'interaction_required',
  'login_required',
  'account_selection_required',
  'consent_required',
  'invalid_request_uri',
  'invalid_request_object',
  'request_not_supported',
  'request_uri_not_supported',
  'registration_not_supported',
  'bad_verification_code',
  'bad_refresh_token',
  'bad_client_secret',
  'incorrect_client_credentials',
  'invalid_client_id',
  'invalid_code',
  'code_already_used',
  'invalid_refresh_token',
  'redirect_uri_mismatch',
  'token_revoked',
  'token_expired',
]);

/** A known error as it was named. Anything else that was written there may be a secret that was sent, and is in no log and no record. */
export function namedError(error: string | undefined): string {
  return error !== undefined && KNOWN_ERRORS.has(error) ? error : 'no known error code';
}
