/** Who gets the answer, in words; `isLocal`: a program on the user's own computer. */
export type RedirectTarget = { readonly text: string; readonly isLocal: boolean };

/** A redirect URI is https, http on loopback, or of a private-use scheme; what it is says who gets the answer. */
export function describeRedirect(redirectUri: string): RedirectTarget {
  const { protocol, host } = new URL(redirectUri);
  if (protocol === 'https:') return { text: host, isLocal: false };
  if (protocol === 'http:') return { text: `a program on this computer (${host})`, isLocal: true };
  return { text: `the app on this computer that opens ${protocol} links`, isLocal: true };
}
