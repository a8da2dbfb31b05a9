import type { Connections } from '../connections/connections.ts';

/** What became of a connection that its user ended, as a record says it. */
export function disconnectOutcome(ended: Awaited<ReturnType<Connections['disconnect']>>): string {
  if (!ended.ok) return `${ended.error.reason}: ${ended.error.detail}`;
  return ended.value.revoked ? 'disconnected: revoked by the provider' : 'disconnected: forgotten here alone';
}
