import { canary } from '../canary.ts';
import { judgeRecords } from './answer.ts';
import type { Exchange } from './exchange.ts';
import type { Judge } from './judge.ts';
import { traceIdOf } from './plan.ts';

type AuditLine = Readonly<Record<string, unknown>>;

/** Records of what this harness did to get ready: tokens revoked, a token issued, a policy applied. */
const PREPARATION: ReadonlySet<unknown> = new Set(['token', 'revocation', 'policy']);
const REQUEST_ID = /"request_id":"([\w-]+)"/;

/** Every request through a cloud, to be found again in what the cloud has written. */
export class CloudRecords {
  readonly #judge: Judge;
  readonly #byTrace = new Map<string, Exchange>();
  readonly #byRequestId = new Map<string, Exchange>();
  /** Audit records that were judged. */
  count = 0;

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  begin(exchange: Exchange): void {
    this.#byTrace.set(traceIdOf(exchange.plan.number), exchange);
  }

  /** The request that a `traceparent` belongs to. */
  findByTrace(traceparent: string): Exchange | undefined {
    return this.#byTrace.get(traceparent.split('-')[1] ?? '');
  }

  /** Notes under which id a request was answered. No two may have the same. */
  answered(exchange: Exchange, response: Response): void {
    const requestId = response.headers.get('x-request-id') ?? '';
    const other = this.#byRequestId.get(requestId);
    if (requestId === '') this.#judge.fault(exchange, 'an answer without a request id');
    else if (other !== undefined) this.#judge.leak(exchange, `the answer of request ${other.plan.number}`);
    this.#byRequestId.set(requestId, exchange);
  }

  /** Has every call that went out been recorded to its end? */
  isComplete(audit: string): boolean {
    const ended = new Set(
      linesOf(audit).flatMap((line) => (line['event'] === 'outcome' ? [line['trace_id']] : [])),
    );
    return [...this.#byTrace].every(([trace, { upstreamCalls }]) => upstreamCalls === 0 || ended.has(trace));
  }

  /** Every record is of one request, by its trace and its id, and names that request's caller alone. */
  judgeAudit(audit: string): void {
    for (const line of linesOf(audit)) {
      if (line['trace_id'] === undefined && PREPARATION.has(line['area'])) continue;
      this.count += 1;
      const exchange = this.#byTrace.get(String(line['trace_id']));
      this.#judge.inspect('audit', JSON.stringify(line), exchange);
      if (exchange === undefined) {
        this.#judge.leak(undefined, `an audit record of no request: ${JSON.stringify(line)}`);
        continue;
      }
      exchange.records.push(`${String(line['event'])}/${String(line['decision'])}`);
      if (!this.#isOwn(exchange, line)) {
        this.#judge.leak(exchange, `another's audit record: ${JSON.stringify(line)}`);
      }
    }
    for (const exchange of this.#byTrace.values()) judgeRecords(this.#judge, exchange);
  }

  /** Every line that names a request is of that request, and the others are of nobody. */
  judgeLog(log: string): void {
    for (const line of log.split('\n')) {
      const requestId = REQUEST_ID.exec(line)?.[1];
      const exchange = requestId === undefined ? undefined : this.#byRequestId.get(requestId);
      this.#judge.inspect('log', line, exchange);
    }
  }

  #isOwn(exchange: Exchange, line: AuditLine): boolean {
    const { party, server, target, token } = exchange.plan;
    const requestId = String(line['request_id']);
    const known = this.#byRequestId.get(requestId);
    // One whose client did not wait for its answer is known by its first record.
    if (known === undefined && exchange.answer === undefined) this.#byRequestId.set(requestId, exchange);
    else if (known !== exchange) return false;
    const callers = [{ party, token }, ...(server === undefined ? [] : [server])];
    const isOneOf = (name: string, values: readonly string[]) =>
      line[name] === undefined || values.some((value) => value === line[name]);
    return (
      callers.some(
        (caller) =>
          isOneOf('org_id', [caller.party.orgId]) &&
          isOneOf('client_id', [caller.party.clientId]) &&
          isOneOf('subject', [caller.party.subject]) &&
          isOneOf('jti', [canary('token', caller.token.serial)]),
      ) && isOneOf('server', [target.name])
    );
  }
}

function linesOf(audit: string): readonly AuditLine[] {
  return audit
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
