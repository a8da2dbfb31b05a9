import { ok } from '../../functions/core/result.ts';
import type { AuditTrail } from '../../functions/handlers/admin-audit.ts';

/** An audit log without records, for what is not about it. */
export const NO_AUDIT_TRAIL: AuditTrail = {
  reader: { readDay: async () => ok({ records: [], isAll: true }) },
  checkpoints: {
    newest: async () => ok({ checkpoints: [], isAll: true }),
    create: async () => ok(undefined),
  },
  witness: { read: async () => ok(undefined) },
  sealer: async () => undefined,
  randomBytes: (size) => new Uint8Array(size),
};
