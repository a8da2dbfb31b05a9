/** Writes one JSON line to the function's log. Entries hold no token, secret or body; that is the caller's duty. */
export function log(entry: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(entry));
}
