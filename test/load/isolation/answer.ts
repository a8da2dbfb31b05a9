import { canary } from '../canary.ts';
import type { Exchange } from './exchange.ts';
import type { Judge } from './judge.ts';
import { isGranted, TOOLS } from './target.ts';

/**
 * Judges what a client got, as much of it as it read. `affected`: nothing was to happen to this request, and it felt somebody else's
 * outage.
 */
export function judgeAnswer(
  judge: Judge,
  exchange: Exchange,
  response: Response,
  text: string,
): 'judged' | 'affected' {
  const { plan } = exchange;
  const head = Array.from(response.headers, ([name, value]) => `${name}: ${value}`).join('\n');
  judge.inspect('answer', `${head}\n${text}`, exchange);
  for (const encoded of exchange.encoded) {
    if (text.includes(encoded)) judge.leak(exchange, `the credential in Base64 in answer: ${encoded}`);
  }
  if (plan.fault !== undefined || plan.abort !== undefined) return 'judged';
  const isWithoutCredential = plan.expected.reachesUpstream && text.includes('no credential is set up');
  if (response.status === 503 || isWithoutCredential) return 'affected';
  judgeUndisturbed(judge, exchange, response.status, text);
  return 'judged';
}

/** Where nothing went wrong, the answer is the one that the caller is due. */
function judgeUndisturbed(judge: Judge, exchange: Exchange, status: number, text: string): void {
  const { plan, upstreamCalls } = exchange;
  const { expected, rpc } = plan;
  const said = `${plan.purpose} ${rpc?.method} at ${plan.target.name}: ${status} ${text.slice(0, 160)}`;
  if (!expected.statuses.includes(status)) judge.fault(exchange, `status, ${said}`);
  if (upstreamCalls !== (expected.reachesUpstream ? 1 : 0)) {
    judge.fault(exchange, `${upstreamCalls} calls upstream, ${said}`);
  }
  const isAnswered = status === 200 && plan.method !== 'DELETE';
  if (isAnswered && plan.rpcId !== undefined && !text.includes(`"id":${plan.rpcId}`)) {
    judge.fault(exchange, `the answer to another id, ${said}`);
  }
  if (!expected.reachesUpstream) return;
  if (isAnswered && !text.includes(canary('content', plan.number))) {
    judge.fault(exchange, `not its own answer, ${said}`);
  }
  if (rpc?.method === 'tools/list') judgeList(judge, exchange, text);
}

function judgeList(judge: Judge, exchange: Exchange, text: string): void {
  const { token, target } = exchange.plan;
  const granted = TOOLS.filter((tool) => isGranted(token.scopes, target, tool));
  const listed = Array.from(text.matchAll(/"name":"(t\d)"/g), ([, name = '']) => name);
  if (listed.join() !== granted.join()) {
    judge.leak(exchange, `the list of somebody else: ${listed.join()} for ${granted.join()}`);
  }
  if (!text.includes('"cacheScope":"private"')) judge.fault(exchange, 'a list that may be shared');
}

/** Judges the audit records of a request when all of them are there: a decision first, and an outcome where something went out. */
export function judgeRecords(judge: Judge, exchange: Exchange): void {
  const { plan, records, upstreamCalls, answer } = exchange;
  if (upstreamCalls > 0 && !records.includes('decision/allow'))
    judge.fault(exchange, 'sent without a record');
  const isUndisturbed = plan.fault === undefined && plan.abort === undefined && answer?.status !== 503;
  if (!isUndisturbed || !plan.expected.reachesUpstream || upstreamCalls === 0) return;
  if (records.join() !== 'decision/allow,outcome/allow') {
    judge.fault(exchange, `recorded as ${records.join()}`);
  }
}
