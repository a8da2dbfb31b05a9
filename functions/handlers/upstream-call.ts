import { createHash } from 'node:crypto';
import type { Caller } from '../core/caller.ts';
import type { Denial } from '../core/denial.ts';
import { charsetOf } from '../core/forward.ts';
import type { Invocation } from '../core/invocation.ts';
import { isInside, type Perimeter } from '../core/perimeter-list.ts';
import type { ServerEntry, ServiceEntry } from '../core/policy.ts';
import type { Upstream, UpstreamResponse } from '../core/ports.ts';
import type { Provider } from '../core/provider.ts';
import { Redactor } from '../core/redact.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Secret } from '../core/secret.ts';
import { discard } from './body.ts';
import type { Credentials } from './credentials.ts';
import { filteredBody } from './filtered-body.ts';
import { LOOK_AGAIN_MS, type StillHolds } from './relay.ts';

/** A call on its way to a server or service, before its credential is put on. */
export type OutboundCall = {
  readonly caller: Caller;
  readonly target: ServerEntry | ServiceEntry;
  /** Where the target's users connect accounts; undefined: nowhere. */
  readonly provider?: Provider | undefined;
  /** Where upstreams may be, by the policy that holds for this call. */
  readonly perimeter: Perimeter | undefined;
  readonly method: string;
  readonly url: URL;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array | undefined;
  readonly origin: string;
  readonly callerAuthorization: string | null;
  /** See `CredentialCall`. */
  readonly isPreparation?: boolean;
  readonly signal: AbortSignal;
  /** See `CredentialCall`. */
  readonly waitUntil: Invocation['waitUntil'];
  /** Would the call be admitted and allowed now? Asked again where its credential took long to be had. */
  readonly stillHolds: StillHolds;
};

/** The ports of a call out. `now` is in milliseconds. */
export type OutboundPorts = {
  readonly credentials: Credentials;
  readonly upstream: Upstream;
  readonly now: () => number;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
};

/**
 * Sends a call with its credential. After a 401 from upstream another credential is asked for, and where there is one the call is sent
 * once more, so a rotation shows at once; else the 401 stands. A 401 says that nothing was done, so any method is sent again. Never a
 * redirect, never a call without the credential that the mode asks for; where a preparation lacks a connection and the upstream takes it
 * for nobody's, its user is asked to connect.
 */
export async function callUpstream(
  ports: OutboundPorts,
  call: OutboundCall,
): Promise<Result<UpstreamResponse, Denial>> {
  // The configuration was refused where it led out; what is sent is looked at all the same.
  if (!isInside(call.perimeter, call.url)) {
    return err({
      reason: 'outside_perimeter',
      detail: `${call.url.host} is not on the perimeter of servers.yml`,
    });
  }
  const first = await attempt(ports, call, undefined);
  if (!first.ok) return first;
  const { response, version, lacks } = first.value;
  if (response.status !== 401) return ok(response);
  if (lacks !== undefined) {
    await discard(response.body);
    return err(lacks);
  }
  if (version === undefined) return ok(response);
  const second = await attempt(ports, call, first.value);
  if (!second.ok || second.value.response !== response) await discard(response.body);
  if (second.ok) return ok(second.value.response);
  const { error } = second;
  return err(error.reason === 'connection_required' ? { ...error, isRefused: true } : error);
}

/** What was answered, and the version of the credential that it was answered to, or what it went without. */
type Attempt = {
  readonly response: UpstreamResponse;
  readonly version: string | undefined;
  /** What was put on. The upstream has seen it, and may say it again in the answer to the next attempt. */
  readonly hidden: readonly Secret[];
  readonly lacks?: Denial | undefined;
};

async function attempt(
  ports: OutboundPorts,
  call: OutboundCall,
  refused: Attempt | undefined,
): Promise<Result<Attempt, Denial>> {
  const url = new URL(call.url);
  const headers = new Map(call.headers);
  const startedAtMs = ports.now();
  const { caller, target, provider, perimeter, origin, callerAuthorization, isPreparation = false } = call;
  const { waitUntil } = call;
  const put = await ports.credentials.put({
    caller,
    target,
    provider,
    perimeter,
    outgoing: { url, headers },
    origin,
    callerAuthorization,
    refused: refused?.version,
    isPreparation,
    waitUntil,
  });
  if (!put.ok) return put;
  const { version, lacks, caution } = put.value;
  if (caution !== undefined) ports.log({ level: 'warn', event: 'weak_credential', detail: caution });
  if (refused !== undefined && refused.version === version) return ok(refused);
  if (ports.now() - startedAtMs >= LOOK_AGAIN_MS) {
    const held = await call.stillHolds();
    if (!held.ok) return held;
  }
  const hidden = [...put.value.hidden, ...(refused?.hidden ?? [])];
  const answer = await ports.upstream.send({
    url,
    method: call.method,
    headers,
    body: call.body,
    allowPrivate: call.target.private,
    ...(call.perimeter === undefined ? {} : { privateNetworks: call.perimeter.networks }),
    isolationKey: JSON.stringify([call.caller.key, call.target.name, credentialDigest(call, url, headers)]),
    timeout: call.target.timeout,
    signal: call.signal,
  });
  const redactor = new Redactor(hidden);
  // Whoever tells how it failed may have it from the upstream.
  if (!answer.ok) return err({ ...answer.error, detail: redactor.text(answer.error.detail) });
  const encoding = foreignEncoding(answer.value, hidden.length > 0);
  if (encoding !== undefined) {
    // Nobody asked for it, and what is encoded cannot be looked at.
    await discard(answer.value.body);
    return err({ reason: 'unreachable', detail: `the upstream encoded its answer ${told(encoding)}` });
  }
  return ok({ response: redact(answer.value, redactor), version, hidden, lacks });
}

/** Charsets in which ASCII is itself, so that an echo is seen. */
const LIKE_ASCII =
  /^(?:utf-?8|(?:us-)?ascii|iso-?8859-\d{1,2}|latin-?\d|windows-12\d\d|shift_jis|euc-(?:jp|kr)|gbk|gb2312|gb18030|big5)$/;

/** The encoding that hides what is in an answer; undefined where nothing does. */
function foreignEncoding({ headers }: UpstreamResponse, isLookedAt: boolean): string | undefined {
  const content = headers.get('content-encoding') ?? 'identity';
  if (content.toLowerCase() !== 'identity') return content;
  const transfer = headers.get('transfer-encoding') ?? 'chunked';
  if (transfer.toLowerCase() !== 'chunked') return transfer;
  const charset = charsetOf(headers.get('content-type')) ?? 'utf-8';
  return isLookedAt && !LIKE_ASCII.test(charset) ? charset : undefined;
}

/** What an operator is told of an encoding: no word of the upstream's own, which may be the credential. */
const KNOWN_ENCODINGS: ReadonlySet<string> = new Set([
  ...['gzip', 'x-gzip', 'deflate', 'br', 'zstd', 'compress'],
  ...['utf-7', 'utf-16', 'utf-16le', 'utf-16be', 'utf-32', 'utf-32le', 'utf-32be'],
]);

function told(encoding: string): string {
  const name = encoding.toLowerCase();
  return KNOWN_ENCODINGS.has(name) ? `as ${name}` : 'in a way that the gateway does not know';
}

/** What was put on, as a digest: of one caller too, two credentials never share a connection. */
function credentialDigest(call: OutboundCall, url: URL, headers: ReadonlyMap<string, string>): string {
  const putOn = [...headers].filter(([name, value]) => call.headers.get(name) !== value);
  const added = url.href === new URL(call.url).href ? '' : url.search;
  return createHash('sha256')
    .update(JSON.stringify([putOn, added]))
    .digest('base64');
}

/** An upstream that echoes what was put on does not get it past the gateway. */
function redact(response: UpstreamResponse, redactor: Redactor): UpstreamResponse {
  if (redactor.isIdle) return response;
  const headers = new Map(
    Array.from(response.headers, ([name, value]) => [name, redactor.text(value)] as const),
  );
  return { status: response.status, headers, body: filteredBody(response.body, redactor) };
}
