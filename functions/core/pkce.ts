import { createHash, timingSafeEqual } from 'node:crypto';

const VERIFIER = /^[A-Za-z0-9\-._~]{43,128}$/;
/** 32 bytes in base64url: the last character carries four bits, and the two that are left over are zero. */
const CHALLENGE = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** Is this a PKCE challenge of method S256 (RFC 7636 §4.2)? */
export function isCodeChallenge(text: string): boolean {
  return CHALLENGE.test(text);
}

/**
 * Does the verifier belong to the challenge (RFC 7636 §4.6)? It has 43 to 128 unreserved characters, and the challenge is its SHA-256; the
 * method `plain` does not exist here, and nothing belongs to a challenge that is none.
 */
export function provesChallenge(verifier: string, challenge: string): boolean {
  if (!VERIFIER.test(verifier) || !isCodeChallenge(challenge)) return false;
  const digest = createHash('sha256').update(verifier).digest();
  return timingSafeEqual(digest, Buffer.from(challenge, 'base64url'));
}
