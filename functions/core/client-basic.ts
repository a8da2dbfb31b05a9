import type { Secret } from './secret.ts';

/** `Authorization` of a client that proves itself by HTTP Basic; each part is form-encoded first (RFC 6749 §2.3.1). */
export function clientBasic(clientId: string, secret: Secret): string {
  const [id, word] = [clientId, secret.reveal()].map((part) =>
    new URLSearchParams({ x: part }).toString().slice(2),
  );
  return `Basic ${Buffer.from(`${id}:${word}`).toString('base64')}`;
}
