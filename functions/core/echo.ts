/** So short a text is in others by chance. */
const MIN_SECRET_LENGTH = 8;

/** Tells which texts have one of these secrets in them: what another party writes back of what it was sent. */
export function echoOf(secrets: readonly (string | undefined)[]): (text: string) => boolean {
  const sent = secrets.filter((secret) => secret !== undefined && secret.length >= MIN_SECRET_LENGTH);
  return (text) => sent.some((secret) => secret !== undefined && text.includes(secret));
}
