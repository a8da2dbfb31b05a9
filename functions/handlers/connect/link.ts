import type { Caller } from '../../core/caller.ts';
import {
  type ConnectLink,
  connectPageUrl,
  readConnectLink,
  writeConnectLink,
} from '../../core/connect-link.ts';
import type { ConnectionRequired } from '../../core/denial.ts';
import type { Unavailable } from '../../core/ports.ts';
import type { Provider } from '../../core/provider.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Sealer } from '../../core/seal.ts';

/** The port that links need. */
export type LinkPorts = {
  /** Undefined while the sealing secret cannot be read. */
  readonly sealer: () => Promise<Sealer | undefined>;
};

/** A connection that is missing: at which provider, for which server or service, and why. */
export type ConnectNeed = {
  readonly provider: Provider;
  readonly target: string;
  /** For the record. */
  readonly why: 'not_connected' | 'broken' | 'lacks_scopes';
  readonly origin: string;
};

/** The denial of a user's call that needs a connection, with the page on which the user makes it. Does NOT check that the caller is a user. */
export async function askToConnect(
  ports: LinkPorts,
  caller: Caller,
  { provider, target, why, origin }: ConnectNeed,
): Promise<ConnectionRequired | Unavailable> {
  const { orgId, subject, clientId } = caller;
  const url = await connectUrl(ports, provider.name, { orgId, subject, target, clientId }, origin);
  if (!url.ok) return url.error;
  const { name, displayName } = provider;
  return { reason: 'connection_required', url: url.value, displayName, detail: `${why} at ${name}` };
}

/** The connect page for one user: the same URL for the same link. */
export async function connectUrl(
  { sealer }: LinkPorts,
  provider: string,
  link: ConnectLink,
  origin: string,
): Promise<Result<string, Unavailable>> {
  const opened = await sealer();
  if (opened === undefined) return err(SEALER_DOWN);
  return ok(
    connectPageUrl(origin, provider, opened.sealSame('connect-link', provider, writeConnectLink(link))),
  );
}

/** The link of a connect page; undefined where we did not seal it for this provider. */
export async function openLink(
  { sealer }: LinkPorts,
  provider: string,
  sealed: string,
): Promise<Result<ConnectLink | undefined, Unavailable>> {
  const opened = await sealer();
  if (opened === undefined) return err(SEALER_DOWN);
  const text = opened.open('connect-link', provider, sealed);
  return ok(text === undefined ? undefined : readConnectLink(text));
}

const SEALER_DOWN: Unavailable = { reason: 'unavailable', detail: 'the sealing secret cannot be read' };
