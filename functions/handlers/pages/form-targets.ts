/**
 * Where the browser may be led when a form of ours is sent, as sources of `form-action`: Chromium holds it against every redirect that
 * follows, through a provider (which may lead on to others) and back to a client, whose scheme may be its own. CSP has no spelling for an
 * address of IPv6.
 */
export function formTargets(urls: readonly string[]): readonly string[] {
  const others = urls.map((url) => new URL(url)).filter(({ protocol }) => protocol !== 'https:');
  const sources = others.map(({ protocol, hostname, origin }) =>
    protocol === 'http:' && !hostname.startsWith('[') ? origin : protocol,
  );
  return [...new Set(["'self'", 'https:', ...sources])];
}
