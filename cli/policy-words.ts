import { z } from 'zod';
import { printable } from './printable.ts';
import { timeOf } from './time.ts';

/** What the gateway says that another policy would change. */
export const Plan = z.object({
  over: z.number(),
  changes: z.array(
    z.object({
      effect: z.enum(['gain', 'loss', 'change']),
      part: z.string(),
      name: z.string(),
      text: z.string(),
    }),
  ),
  more: z.number().optional(),
  warnings: z.array(z.looseObject({})),
});

export type Plan = z.infer<typeof Plan>;

/** Versions that ran, newest first; `next`: the rest is below it. */
export const Versions = z.object({
  versions: z.array(
    z.object({
      version: z.number(),
      source: z.string(),
      content_hash: z.string(),
      applied_at: z.number().optional(),
      applied_by: z.object({ client_id: z.string(), subject: z.string() }).optional(),
      restored: z.number().optional(),
    }),
  ),
  next: z.number().optional(),
});

const SIGNS = { gain: '+', loss: '-', change: '~' } as const;

/** A plan in lines for people: what somebody may do more (+), less (-), and what else changes (~). */
export function describePlan({ over, changes, more }: Plan): readonly string[] {
  if (changes.length === 0) return [`nothing changes: version ${over} says the same`];
  return [
    `over version ${over}:`,
    ...changes.map(({ effect, text }) => `  ${SIGNS[effect]} ${printable(text)}`),
    ...(more === undefined ? [] : [`  … and ${more} more`]),
  ];
}

/** Versions in lines for people. */
export function describeVersions({ versions, next }: z.infer<typeof Versions>): readonly string[] {
  const lines = versions.map(({ version, source, content_hash, applied_at, applied_by, restored }) => {
    const when = applied_at === undefined ? 'some time ago' : timeOf(applied_at);
    const who = applied_by === undefined ? '' : ` by ${whoOf(applied_by)}`;
    const what = restored === undefined ? source : `rollback to ${restored}`;
    return `${String(version).padStart(6)}  ${when}  ${content_hash.slice(0, 12)}  ${what}${who}`;
  });
  return [...lines, ...(next === undefined ? [] : [`more: --before ${next}`])];
}

function whoOf({ client_id, subject }: { readonly client_id: string; readonly subject: string }): string {
  return subject === client_id ? client_id : `${subject} with ${client_id}`;
}
