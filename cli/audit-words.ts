import type { RecordValue } from '../functions/core/audit/chain.ts';
import type { Finding } from '../functions/core/audit/finding.ts';
import type { Verification } from '../functions/core/audit/verify.ts';
import { printable } from './printable.ts';

type Members = Readonly<Record<string, RecordValue>>;

/** A record in one line: when, what was decided or came of it, about what, by whom, to what, why, and which request. */
export function describeRecord(record: Members): string {
  const text = (name: string) => plain(record[name]);
  const isOutcome = record['event'] === 'outcome';
  const status = record['upstream_status'] === undefined ? '' : ` ${text('upstream_status')}`;
  const duration = record['duration_ms'] === undefined ? '' : ` ${text('duration_ms')} ms`;
  const subject = record['subject'] === record['client_id'] ? '' : text('subject');
  const what = [text('server'), text('method'), text('name')].filter((part) => part !== '').join(' ');
  return [
    text('ts'),
    isOutcome ? `outcome${status}${duration}` : text('decision'),
    text('area'),
    [text('org_id'), text('client_id'), subject].filter((part) => part !== '').join(' ') || 'nobody',
    what,
    text('reason'),
    text('request_id'),
  ]
    .filter((part) => part !== '')
    .join('  ');
}

/** What was verified, in lines for people. `newest` is the name of the newest checkpoint. */
export function describeVerification(
  orgId: string,
  verification: Verification,
  newest: string | undefined,
): readonly string[] {
  const { findings, records, chains, checkpoints, sealedThrough } = verification;
  const counted = (count: number, words: string) => (count === 0 ? [] : [`  ${count} ${words}`]);
  return [
    findings.length === 0
      ? `${orgId}: nothing was changed, removed, inserted or moved`
      : `${orgId}: ${many(findings.length, 'finding')}`,
    ...findings.map((finding) => `  ${describeFinding(finding)}`),
    `  ${many(records, 'record')} in ${many(chains, 'chain')}, ${many(checkpoints, 'checkpoint')}`,
    `  verified: what is from ${verification.verifiedFrom} on`,
    sealedThrough === undefined
      ? '  no checkpoint covers them yet'
      : `  covered by a checkpoint: what is before ${sealedThrough}`,
    ...(newest === undefined ? [] : [`  the newest checkpoint, for --after the next time: ${newest}`]),
    ...counted(
      verification.unsealed,
      'newer than the last checkpoint: one cut off at their end would not be missed',
    ),
    ...counted(
      verification.failedWrites,
      'that could not be written; what they were to allow did not happen',
    ),
    ...counted(verification.unconfirmed, 'whose writer never learned that they were written'),
    ...counted(verification.unchained, 'of an older version, in no chain: nothing can be said about them'),
  ];
}

function many(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

function describeFinding({ kind, detail, chain, seq, ts, number }: Finding): string {
  const place = [
    number === undefined ? '' : `checkpoint ${number}`,
    chain === undefined ? '' : `record ${plain(seq)} of chain ${plain(chain)}`,
    plain(ts),
  ].filter((part) => part !== '');
  return `${kind.toUpperCase()}  ${[...place, detail].join(': ')}`;
}

function plain(value: RecordValue | undefined): string {
  if (value === undefined) return '';
  const text = typeof value === 'object' ? value.join(' ') : String(value);
  return printable(text);
}
