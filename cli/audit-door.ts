import { z } from 'zod';
import type { FoundRecord, StoredCheckpoint, Witness } from '../functions/core/audit/audit-ports.ts';
import { err, ok, type Result } from '../functions/core/result.ts';
import { KeySet, type PublicKey } from '../functions/core/signed-token.ts';
import { type AdminDoor, openDoor } from './admin-door.ts';
import { refusalOf } from './http.ts';
import { type Failure, failed } from './outcome.ts';
import type { Terminal } from './terminal.ts';
import type { Arguments } from './verb.ts';

const Value = z.union([z.string(), z.number(), z.array(z.string())]);

/** Records as `GET /admin/audit` gives them: nothing of them is believed. */
const Records = z.object({
  org_id: z.string(),
  records: z.array(
    z.object({ key: z.object({ pk: z.string(), sk: z.string() }), record: z.record(z.string(), Value) }),
  ),
  is_all: z.boolean(),
  next: z.string().optional(),
});

const Checkpoints = z.object({
  org_id: z.string(),
  checkpoints: z.array(z.object({ number: z.number().int(), jws: z.string() })),
  is_all: z.boolean(),
  witness: z
    .object({ number: z.number().int(), hash: z.string(), expires_at: z.number().int() })
    .transform(({ number, hash, expires_at: expiresAtSeconds }) => ({ number, hash, expiresAtSeconds }))
    .optional(),
});

const Jwks = z.object({ keys: z.array(z.object({ kid: z.string(), n: z.string(), e: z.string() })) });

/** A page of records. `next` is where to go on; with `isAll` what is found there was written later. */
export type RecordPage = {
  readonly orgId: string;
  readonly records: readonly FoundRecord[];
  readonly isAll: boolean;
  readonly next: string | undefined;
};

/** A page of checkpoints, newest first. */
export type CheckpointPage = {
  readonly orgId: string;
  readonly checkpoints: readonly StoredCheckpoint[];
  readonly isAll: boolean;
  /** With the first page; undefined where the issuer keeps none. */
  readonly witness: Witness | undefined;
};

/** The audit log of a gateway. */
export type AuditDoor = {
  records(query: Readonly<Record<string, string>>): Promise<Result<RecordPage, Failure>>;
  /** The newest ones below a number, newest first. */
  checkpoints(org: string | undefined, before: number | undefined): Promise<Result<CheckpointPage, Failure>>;
  /** The issuer's own keys that are published now: those of the gateway sign no checkpoint. */
  keys(): Promise<Result<KeySet, Failure>>;
};

/** Opens it as {@link openDoor} does. A token that has expired meanwhile is asked for again, once for each request. */
export async function openAuditDoor(
  input: Arguments,
  terminal: Terminal,
): Promise<Result<AuditDoor, Failure>> {
  const opened = await openDoor(input, terminal);
  if (!opened.ok) return opened;
  let door = opened.value;
  const read = async <T>(path: string, schema: z.ZodType<T>): Promise<Result<T, Failure>> => {
    let answer = await door(path);
    if (answer.ok && answer.value.status === 401) {
      const again: Result<AdminDoor, Failure> = await openDoor(input, terminal);
      if (!again.ok) return again;
      door = again.value;
      answer = await door(path);
    }
    if (!answer.ok) return answer;
    if (answer.value.status !== 200) return err(refusalOf(answer.value));
    const parsed = schema.safeParse(answer.value.body);
    return parsed.success ? ok(parsed.data) : err(failed('the gateway’s answer is not about its audit log'));
  };
  return ok({
    async records(query) {
      const page = await read(`/admin/audit?${new URLSearchParams(query)}`, Records);
      if (!page.ok) return page;
      const { org_id: orgId, records, is_all: isAll, next } = page.value;
      return ok({ orgId, records, isAll, next });
    },

    async checkpoints(org, before) {
      const query = new URLSearchParams({
        ...(org === undefined ? {} : { org }),
        ...(before === undefined ? {} : { before: String(before) }),
      });
      const page = await read(`/admin/audit/checkpoints?${query}`, Checkpoints);
      if (!page.ok) return page;
      const { org_id: orgId, checkpoints, is_all: isAll, witness } = page.value;
      return ok({ orgId, checkpoints, isAll, witness });
    },

    async keys() {
      const jwks = await read('/.well-known/jwks.json?purpose=access', Jwks);
      if (!jwks.ok) return jwks;
      return ok(new KeySet(jwks.value.keys.map(toKey)));
    },
  });
}

function toKey({ kid, n, e }: { readonly kid: string; readonly n: string; readonly e: string }): PublicKey {
  return { keyId: kid, purpose: 'access', n, e };
}
