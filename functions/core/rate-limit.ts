import { createHash } from 'node:crypto';
import { NO_ORG } from './open-client.ts';
import type { RecordKey } from './ports.ts';

/** How often something may happen within one window of time. `name` keeps its counts apart from those of others. */
export type RateLimit = { readonly name: string; readonly max: number; readonly windowSeconds: number };

/** The window of a limit that a moment lies in. */
export type RateWindow = { readonly key: RecordKey; readonly endsAtSeconds: number };

/** Windows follow each other without a gap and begin at multiples of their length. `subject` is whose count it is; only its digest is stored. */
export function rateWindow(limit: RateLimit, subject: readonly string[], nowSeconds: number): RateWindow {
  const index = Math.floor(nowSeconds / limit.windowSeconds);
  const digest = createHash('sha256').update(JSON.stringify(subject)).digest('base64url');
  return {
    key: { kind: 'COUNT', orgId: NO_ORG, id: `${limit.name}.${index}.${digest}` },
    endsAtSeconds: (index + 1) * limit.windowSeconds,
  };
}
