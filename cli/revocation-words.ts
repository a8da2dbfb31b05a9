import { z } from 'zod';
import { timeOf } from './time.ts';

/** A revocation, as the gateway tells it. Times are epoch seconds. */
export const Entry = z.object({
  kind: z.string(),
  org_id: z.string().optional(),
  id: z.string().optional(),
  before: z.number(),
  forget_at: z.number(),
  revoked_at: z.number().optional(),
  revoked_by: z.object({ client_id: z.string(), subject: z.string() }).optional(),
});

/** A page of them; `next` is the cursor of the one after it. */
export const Page = z.object({ revocations: z.array(Entry), next: z.string().optional() });

type Entry = z.infer<typeof Entry>;

/** Kinds that end what was issued until a time; the others end as a whole. */
const BOUND_IN_TIME: ReadonlySet<string> = new Set(['client', 'user', 'team', 'org', 'all']);
/** The last second that a time can say (ECMA-262 §21.4.1.1). */
const LAST_SECOND = 8_640_000_000_000;

/** What is revoked, in one line without the time of it. */
export function describeEntry({ kind, org_id, id, before }: Entry): string {
  const name = kind === 'all' ? 'everything' : `${kind} ${id ?? ''}`;
  const place = org_id === undefined || kind === 'org' ? '' : ` of ${org_id}`;
  const until = before > LAST_SECOND ? 'whenever issued' : `issued until ${timeOf(before)}`;
  return BOUND_IN_TIME.has(kind) ? `${name}${place}, ${until}` : `${name}${place}`;
}

/** A page in lines for people, and how to see the next one. */
export function describePage({ revocations, next }: z.infer<typeof Page>): readonly string[] {
  const lines = revocations.map((entry) => {
    const { revoked_at, revoked_by } = entry;
    if (revoked_at === undefined || revoked_by === undefined) return describeEntry(entry);
    return `${describeEntry(entry)} (${revoked_by.client_id}, ${timeOf(revoked_at)})`;
  });
  const none = next === undefined ? ['nothing is revoked'] : [];
  return [...(lines.length === 0 ? none : lines), ...(next === undefined ? [] : [`more: --cursor=${next}`])];
}
