import type { AuditReader, FoundRecord } from '../../core/audit/audit-ports.ts';
import { LATE_MS, statesOf } from '../../core/audit/checkpoint.ts';
import { isRecordNumber, linkOf } from '../../core/audit/link.ts';
import { NO_ORG } from '../../core/open-client.ts';
import type { Policy } from '../../core/policy.ts';
import type { RulebookStore, Unavailable } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { KeySet } from '../../core/signed-token.ts';
import type { IssuerKeys } from '../discovery.ts';
import { type Range, readRange } from './read-range.ts';
import { type SealPorts, seal, tellOf } from './seal.ts';
import { readSealed, type Sealed, textOf } from './sealed.ts';

type Tie = FoundRecord['record'];

/** The ports of the checkpointer. */
export type CheckpointerPorts = SealPorts & {
  readonly rulebook: RulebookStore;
  readonly reader: AuditReader;
  readonly keys: IssuerKeys;
};

/** How a run went: checkpoints that were written, and organisations whose records could not be sealed. */
export type CheckpointRun = { readonly written: number; readonly failed: number };

/** A record is written within seconds of its instant; one that is written later is sealed by a later checkpoint. */
const SETTLE_MS = 5_000;
/** The first checkpoint of an organisation looks for records so far back. */
const FIRST_MS = 86_400_000;
/** A checkpoint covers so many records at most; another one goes on. */
const MAX_RECORDS = 20_000;
const PAGE = 1_000;
const ORGS_AT_ONCE = 10;
/** A run begins no organisation and no further checkpoint after so long; the next run goes on. */
const BUDGET_MS = 20_000;

/**
 * Seals the audit log: for every organisation a signed statement how far each chain of its records has come, which names the statement
 * before. A run that comes twice, or at once with another, writes nothing twice.
 */
export function createCheckpointer(ports: CheckpointerPorts): () => Promise<CheckpointRun> {
  return async () => {
    const startedAtMs = ports.now();
    const rulebook = await ports.rulebook.read();
    if (!rulebook.ok) return fail(ports, rulebook.error, '*');
    const published = await ports.keys.publish();
    if (!published.ok) return fail(ports, published.error, '*');
    const { policy, keys } = rulebook.value;
    const orgs = organisationsOf(policy);
    // Where a run has no time for all, the next one begins with others.
    const first = Math.floor(startedAtMs / 60_000) % orgs.length;
    const queue = [...orgs.slice(first), ...orgs.slice(0, first)];
    const mayGoOn = () => ports.now() - startedAtMs < BUDGET_MS;
    let written = 0;
    let failed = 0;
    const work = async () => {
      for (let orgId = queue.shift(); orgId !== undefined; orgId = queue.shift()) {
        const sealed = mayGoOn() ? await sealOrg(ports, orgId, keys, mayGoOn) : err(OUT_OF_TIME);
        if (sealed.ok) written += sealed.value;
        else failed += fail(ports, sealed.error, orgId).failed;
      }
    };
    await Promise.all(Array.from({ length: ORGS_AT_ONCE }, work));
    return { written, failed };
  };
}

const OUT_OF_TIME: Unavailable = { reason: 'unavailable', detail: 'no time was left in this run' };

function fail(ports: CheckpointerPorts, error: Unavailable, orgId: string): CheckpointRun {
  ports.log({ level: 'error', event: 'checkpoint_failed', org_id: orgId, detail: error.detail });
  return { written: 0, failed: 1 };
}

async function sealOrg(
  ports: CheckpointerPorts,
  orgId: string,
  keys: KeySet,
  mayGoOn: () => boolean,
): Promise<Result<number, Unavailable>> {
  const nowSeconds = Math.floor(ports.now() / 1000);
  const read = await readSealed(ports, orgId, { keys, nowSeconds });
  if (!read.ok) return read;
  let sealed = read.value;
  const { lost, unwitnessed } = sealed;
  if (lost !== undefined) {
    const { number, hash } = lost;
    const detail = 'the audit table does not have it, and the issuer knows of it as its newest';
    ports.log({ level: 'error', event: 'checkpoint_lost', org_id: orgId, number, hash, detail });
  }
  if (unwitnessed !== undefined) {
    const told = await tellOf(ports, orgId, unwitnessed);
    if (!told.ok) return told;
  }
  const untilMs = ports.now() - SETTLE_MS;
  let fromMs = sealed.last === undefined ? untilMs - FIRST_MS : Date.parse(sealed.last.through);
  let lateMs = LATE_MS;
  let written = 0;
  while (fromMs < untilMs && (written === 0 || mayGoOn())) {
    const found = await readSome(ports.reader, orgId, { fromMs, lateMs, untilMs });
    if (!found.ok) return found;
    const { records, throughMs } = found.value;
    const moved = statesOf(records).filter((state) => sealed.states.get(state.chain) !== textOf(state));
    const next = await seal(ports, orgId, sealed, { moved, fromMs, throughMs });
    if (!next.ok)
      return next.error.reason === 'conflict' ? passed(ports, orgId, sealed, written) : err(next.error);
    written += next.value.number - sealed.number;
    sealed = next.value;
    fromMs = throughMs;
    lateMs = 0;
  }
  return ok(written);
}

/** Was another run first? Otherwise something is in the way that will be there the next time too. */
async function passed(
  { checkpoints }: CheckpointerPorts,
  orgId: string,
  { number }: Sealed,
  written: number,
): Promise<Result<number, Unavailable>> {
  const read = await checkpoints.newest(orgId, 1);
  if (!read.ok) return read;
  const [newest] = read.value.checkpoints;
  if (newest !== undefined && newest.number > number) return ok(written);
  const detail = `what is no checkpoint is in the place of the one after ${number}`;
  return err({ reason: 'unavailable', detail });
}

/** Records from shortly before one instant to another, and up to where they are all; with very many that is not the end. */
async function readSome(
  reader: AuditReader,
  orgId: string,
  { fromMs, lateMs, untilMs }: { readonly fromMs: number; readonly lateMs: number; readonly untilMs: number },
): Promise<Result<{ readonly records: readonly Tie[]; readonly throughMs: number }, Unavailable>> {
  const records: Tie[] = [];
  const to = new Date(untilMs).toISOString();
  let from: string | undefined = new Date(fromMs - lateMs).toISOString();
  let throughMs = fromMs;
  let count = 0;
  // However many there are, the end of what is read is beyond its begin.
  while (from !== undefined && (count < MAX_RECORDS || throughMs <= fromMs)) {
    const page: Result<Range, Unavailable> = await readRange(reader, {
      orgId,
      from,
      to,
      newestFirst: false,
      limit: PAGE,
    });
    if (!page.ok) return page;
    for (const found of page.value.records) {
      const tie = tieOf(found, orgId);
      if (tie !== undefined) records.push(tie);
    }
    count += page.value.records.length;
    const last = page.value.records.at(-1)?.key.sk.slice(0, to.length);
    if (last !== undefined) throughMs = Date.parse(last);
    from = page.value.next;
  }
  return ok({ records, throughMs: from === undefined ? untilMs : throughMs });
}

/**
 * Of very many records, what ties them together is kept. What was changed, moved or copied says nothing of how far its chain has come:
 * it is left to whoever verifies.
 */
function tieOf(found: FoundRecord, orgId: string): Tie | undefined {
  const link = linkOf(found, orgId);
  if (link === undefined || !link.isIntact || !link.isInPlace || !isRecordNumber(link.seq)) return undefined;
  const { chain, seq, hash, prev, expires_at } = found.record;
  const members = { chain, seq, hash, prev, expires_at };
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/**
 * Whoever writes records is of one of these: a client's, an identity provider's, or none that was verified. What an organisation wrote
 * is sealed on when its last client has been removed.
 */
function organisationsOf(policy: Policy): readonly string[] {
  const owners = [...policy.clients.values(), ...policy.vouchers];
  return [...new Set([NO_ORG, ...policy.orgs, ...owners.map(({ org }) => org)])];
}
