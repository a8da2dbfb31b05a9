import type { AuthorizationRefusal } from './authorization-request.ts';

/** Where an answer goes: the redirect URI of the request, and the `state` that the client sent. */
export type Addressee = { readonly redirectUri: string; readonly state: string | undefined };

/** The URL that takes a code to its client (RFC 6749 §4.1.2), with `iss` (RFC 9207 §2). */
export function codeResponse(to: Addressee, code: string, issuer: string): string {
  return withQuery(to, { code }, issuer);
}

/** The URL that tells a client why there is no code (RFC 6749 §4.1.2.1), with `iss` (RFC 9207 §2). */
export function errorResponse(to: Addressee, refusal: AuthorizationRefusal, issuer: string): string {
  const { error, description } = refusal;
  return withQuery(to, { error, error_description: description }, issuer);
}

/** The redirect URI stays as it was registered, byte for byte; parameters of its own are kept. */
function withQuery(to: Addressee, members: Readonly<Record<string, string>>, issuer: string): string {
  const query = new URLSearchParams(members);
  if (to.state !== undefined) query.set('state', to.state);
  query.set('iss', issuer);
  const separator = to.redirectUri.includes('?') ? '&' : '?';
  return `${to.redirectUri}${separator}${query}`;
}
