/** Does a status say that it may go better in a moment, whatever comes with it? Else a 4xx is what the other side means (RFC 9110 §15.5.9, RFC 6585 §4). */
export function isOutageStatus(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}
