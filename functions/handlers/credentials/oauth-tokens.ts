import { USER_AGENT } from '../../core/forward.ts';
import { isFresh } from '../../core/freshness.ts';
import { isJsonObject, type Json, parseJson, stringMember } from '../../core/json.ts';
import type { OAuthClient } from '../../core/oauth-client.ts';
import { namedError } from '../../core/oauth-error.ts';
import { type IssuedToken, readIssuedToken, tokenRequest } from '../../core/oauth-token.ts';
import { isOutageStatus, isRateLimit } from '../../core/outage-status.ts';
import { isLoopback, parseUpstreamUrl } from '../../core/perimeter.ts';
import { isInside, type Perimeter } from '../../core/perimeter-list.ts';
import type { Upstream } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Secret } from '../../core/secret.ts';
import { discard, readStream } from '../body.ts';

/** The ports of tokens that are got by client credentials. `now` is in milliseconds, `randomId` unguessable and never the same twice. */
export type OAuthTokenPorts = {
  readonly upstream: Upstream;
  readonly now: () => number;
  readonly randomId: () => string;
};

/** For which version of which secret a token is asked for, and with what. */
export type TokenAsk = {
  readonly name: string;
  readonly versionId: string;
  readonly client: OAuthClient;
  /** May the token endpoint be at a private or loopback address? */
  readonly allowPrivate: boolean;
  /** May it be at a loopback address? The machine itself is the gateway's. */
  readonly allowLoopback: boolean;
  /** Where the token endpoint may be; undefined: wherever its address is allowed. */
  readonly perimeter: Perimeter | undefined;
  /** The serial of a token that the upstream has just refused. */
  readonly refused: string | undefined;
};

/** A token that can be sent. The serial names it and tells nothing of it. */
export type HeldToken = { readonly token: Secret; readonly serial: string };

/**
 * Why there is no token. `refused`: the endpoint does not take the client; `forbidden`: its URL may not be called, or leads elsewhere;
 * `unusable`: the client cannot be presented; `unavailable`: an outage. `detail` is the operator's, and nothing in it is the endpoint's
 * or the secret's.
 */
export type TokenFailure = {
  readonly reason: 'refused' | 'forbidden' | 'unusable' | 'unavailable';
  readonly detail: string;
};

/** Tokens of clients of ours at other parties' token endpoints. */
export type OAuthTokens = { get(ask: TokenAsk): Promise<Result<HeldToken, TokenFailure>> };

const TIMEOUT = { connectMs: 3_000, firstByteMs: 8_000, silenceMs: 8_000, callMs: 10_000 } as const;
const MAX_ANSWER_BYTES = 65_536;
const MAX_HELD = 500;
/** A token is given up this long before it ends, or a tenth of its life where that is less, so that none dies on its way. */
const MARGIN_SECONDS = 60;
/** Tokens that an upstream refuses are replaced, and a client that an endpoint refuses is asked for again, at most this often. */
const AGAIN_AFTER_SECONDS = 5;
/** An endpoint that is out is asked again after this time, whoever calls. */
const AGAIN_AFTER_OUTAGE_SECONDS = 2;

type Entry = {
  held: (HeldToken & { readonly useUntilSeconds: number; readonly endsAtSeconds: number }) | undefined;
  refusal: TokenFailure | undefined;
  /** When the endpoint failed last. */
  refusedAtSeconds: number;
  /** When a token that an upstream had refused was replaced last. */
  replacedAtSeconds: number;
  underWay: Promise<Result<HeldToken, TokenFailure>> | undefined;
};

/**
 * Tokens through the guarded client: https alone unless the target is private, no redirect, 64 KB, 10 s in all. Kept per secret and
 * version, least recently used out first, one request at a time each; during an outage a token serves until its very end.
 */
export function createOAuthTokens(ports: OAuthTokenPorts): OAuthTokens {
  const entries = new Map<string, Entry>();
  const nowSeconds = () => Math.floor(ports.now() / 1000);

  const ask = async (entry: Entry, wanted: TokenAsk, url: URL) => {
    const atSeconds = nowSeconds();
    const serial = ports.randomId();
    const issued = await requestToken(ports.upstream, wanted, { url, atSeconds, serial });
    if (issued.ok) {
      const { token, lifetimeSeconds } = issued.value;
      const margin = Math.min(MARGIN_SECONDS, lifetimeSeconds / 10);
      const endsAtSeconds = atSeconds + lifetimeSeconds;
      entry.held = { token, serial, useUntilSeconds: endsAtSeconds - margin, endsAtSeconds };
      entry.refusal = undefined;
      return ok({ token, serial });
    }
    entry.refusal = issued.error;
    entry.refusedAtSeconds = nowSeconds();
    if (issued.error.reason !== 'unavailable') entry.held = undefined;
    return lastOf(entry, issued.error);
  };

  const lastOf = ({ held }: Entry, failure: TokenFailure) =>
    held !== undefined && nowSeconds() < held.endsAtSeconds ? ok(held) : err(failure);

  return {
    async get(wanted) {
      // Before what is held too: the policy may have changed since.
      const url = judgeEndpoint(wanted);
      if (!url.ok) return url;
      const entry = entryOf(entries, `${wanted.name} ${wanted.versionId}`);
      if (entry.underWay !== undefined) return entry.underWay;
      const { held, refusal } = entry;
      const isRecent = isFresh(entry.replacedAtSeconds, AGAIN_AFTER_SECONDS, nowSeconds());
      const leftAloneSeconds =
        refusal?.reason === 'unavailable' ? AGAIN_AFTER_OUTAGE_SECONDS : AGAIN_AFTER_SECONDS;
      const isLeftAlone = isFresh(entry.refusedAtSeconds, leftAloneSeconds, nowSeconds());
      if (refusal !== undefined && isLeftAlone) return lastOf(entry, refusal);
      if (held !== undefined && nowSeconds() < held.useUntilSeconds) {
        if (held.serial !== wanted.refused || isRecent) return ok(held);
        entry.replacedAtSeconds = nowSeconds();
      }
      entry.underWay = ask(entry, wanted, url.value).finally(() => {
        entry.underWay = undefined;
      });
      return entry.underWay;
    },
  };
}

/** One that is being asked for stays, or its answer would have nowhere to go. */
function entryOf(entries: Map<string, Entry>, key: string): Entry {
  const entry: Entry = entries.get(key) ?? {
    held: undefined,
    refusal: undefined,
    refusedAtSeconds: 0,
    replacedAtSeconds: 0,
    underWay: undefined,
  };
  entries.delete(key);
  entries.set(key, entry);
  for (const [oldest, { underWay }] of entries) {
    if (entries.size <= MAX_HELD) break;
    if (underWay === undefined && oldest !== key) entries.delete(oldest);
  }
  return entry;
}

/** Where the endpoint is, if it may be called by the policy that holds now. */
function judgeEndpoint({
  client,
  allowPrivate,
  allowLoopback,
  perimeter,
}: TokenAsk): Result<URL, TokenFailure> {
  const url = parseUpstreamUrl(client.tokenUrl, allowPrivate);
  if (!url.ok) return err({ reason: 'forbidden', detail: url.error });
  if (!allowLoopback && isLoopback(url.value.hostname)) {
    return err({ reason: 'forbidden', detail: 'its host is the gateway itself' });
  }
  return isInside(perimeter, url.value)
    ? url
    : err({ reason: 'forbidden', detail: 'its host is not on the perimeter of servers.yml' });
}

async function requestToken(
  upstream: Upstream,
  { name, client, allowPrivate, allowLoopback, perimeter }: TokenAsk,
  { url, atSeconds, serial }: { readonly url: URL; readonly atSeconds: number; readonly serial: string },
): Promise<Result<IssuedToken, TokenFailure>> {
  const request = tokenRequest(client, { nowSeconds: atSeconds, jti: serial });
  if (!request.ok) return err({ reason: 'unusable', detail: request.error });
  const answer = await upstream.send({
    url,
    method: 'POST',
    headers: new Map([
      ['accept', 'application/json'],
      ['content-type', 'application/x-www-form-urlencoded'],
      ['user-agent', USER_AGENT],
      ...request.value.headers,
    ]),
    body: Buffer.from(request.value.form.toString()),
    allowPrivate,
    refusesLoopback: !allowLoopback,
    ...(perimeter === undefined ? {} : { privateNetworks: perimeter.networks }),
    isolationKey: JSON.stringify(['token endpoint', name]),
    timeout: TIMEOUT,
    signal: new AbortController().signal,
  });
  if (!answer.ok) {
    const { reason } = answer.error;
    const isForbidden = reason === 'redirect' || reason === 'refused_address';
    return err({ reason: isForbidden ? 'forbidden' : 'unavailable', detail: reason });
  }
  const { status, headers, body } = answer.value;
  if ((headers.get('content-encoding') ?? 'identity') !== 'identity') {
    await discard(body);
    return status < 400
      ? err({ reason: 'unavailable', detail: 'an encoded answer' })
      : readAnswer(status, headers, null);
  }
  const bytes = await readStream(body, MAX_ANSWER_BYTES).catch(() => undefined);
  if (bytes === undefined) {
    return err({ reason: 'unavailable', detail: 'an answer that is cut off, too slow, or more than 64 KB' });
  }
  const parsed = parseJson(bytes, { maxDepth: 16, caseVariants: 'keep' });
  return readAnswer(status, headers, parsed.ok && isJsonObject(parsed.value) ? parsed.value : null);
}

function readAnswer(
  status: number,
  headers: ReadonlyMap<string, string>,
  body: Json,
): Result<IssuedToken, TokenFailure> {
  const code = stringMember(body, 'error');
  const isOutage = isOutageStatus(status) || isRateLimit(status, headers, body);
  // Some answer errors with 200.
  if (status === 200 && code === undefined) {
    const issued = readIssuedToken(body);
    return issued === undefined ? err({ reason: 'unavailable', detail: 'no bearer token' }) : ok(issued);
  }
  return err({
    reason: isOutage ? 'unavailable' : 'refused',
    detail: `status ${status}, ${namedError(code)}`,
  });
}
