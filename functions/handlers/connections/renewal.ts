import type { Unavailable } from '../../core/ports.ts';
import type { Provider } from '../../core/provider.ts';
import { DOUBT_PAUSE_MS, LEASE_MS, mayAskUntilMs, PAUSE_MS, REFRESH_MS } from '../../core/refresh-due.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { VaultedConnection } from '../../core/vaulted-connection.ts';
import type { ConnectionPorts } from './connection-ports.ts';
import type { ConnectionFailure } from './connections.ts';
import { revoke } from './disconnect.ts';
import { keepRenewed } from './keep-renewed.ts';
import { askForTokens } from './provider-call.ts';
import type { Notes, Opened, Place, Vault } from './vault.ts';

/** How long a call waits for somebody else's refresh. */
const PATIENCE_MS = 15_000;
/** Between two looks at what somebody else is doing. */
const LOOK_EVERY_MS = 100;

/** What is refreshed. */
export type Renewed = { readonly place: Place; readonly provider: Provider };

/**
 * Has a connection that was read refreshed, and gives it as it is afterwards, whoever has done it. `early`: its token still lives, so where
 * it is under way elsewhere the answer is `unavailable` at once. The failure `broken`: the provider has refused for no known reason, and is
 * asked again after {@link DOUBT_PAUSE_MS}, as it may have meant something else than the refresh token.
 */
export type Renewal = (
  of: Renewed,
  seen: Opened,
  urgency: 'early' | 'now',
) => Promise<Result<VaultedConnection, ConnectionFailure>>;

/** What the holder of a lease has: the record with it, until when it lasts, and for whom. */
type Leading = { readonly leased: Opened; readonly untilMs: number; readonly urgency: 'early' | 'now' };

/** Names the tokens of a connection. */
export function versionOf({ consentId, generation }: VaultedConnection): string {
  return `${consentId}.${generation}`;
}

/**
 * Refreshes, one at a time in however many processes: who may is who writes a lease onto the record that was read, and everyone else waits
 * and reads again. The lease is longer than its holder asks and stores, both of which it bounds: it ends before that only where the holder stood still. Calls of one process share one refresh.
 */
export function createRenewal(ports: ConnectionPorts, vault: Vault): Renewal {
  const underWay = new Map<string, ReturnType<Renewal>>();

  const lead: Renewal = async (of, seen, urgency) => {
    const holder = Buffer.from(ports.randomBytes(12)).toString('base64url');
    const giveUpAtMs = ports.now() + PATIENCE_MS;
    for (let current = seen; ; ) {
      const { vaulted, envelope } = current;
      if (vaulted.status === 'broken' || versionOf(vaulted) !== versionOf(seen.vaulted)) return ok(vaulted);
      const nowMs = ports.now();
      const lease =
        envelope.lease !== undefined && envelope.lease.untilMs > nowMs ? envelope.lease : undefined;
      if (lease?.holder === holder)
        return refresh(ports, vault, of, { leased: current, untilMs: lease.untilMs, urgency });
      if (lease !== undefined && urgency === 'early') return unavailable('it is being refreshed');
      if (nowMs >= giveUpAtMs) return unavailable('it is being refreshed, and that takes long');
      let lost: Unavailable | undefined;
      if (lease === undefined) {
        const { pausedUntilMs = 0, brokenFromMs = 0 } = envelope;
        if (pausedUntilMs > nowMs) {
          // It is asked for before its end: whoever is sent to connect has to find it broken.
          if (urgency === 'now' && brokenFromMs > nowMs) {
            const noted = await vault.note(of.place, current, { pausedUntilMs, brokenFromMs: nowMs });
            if (!noted.ok) return unavailable('a refresh failed a moment ago');
          }
          return notRenewed(envelope, 'a refresh failed a moment ago');
        }
        const untilMs = nowMs + LEASE_MS;
        const notes = { lease: { holder, untilMs }, ...doubtOf(envelope) };
        const leased = await vault.note(of.place, current, notes);
        if (leased.ok) return refresh(ports, vault, of, { leased: leased.value, untilMs, urgency });
        // A write that was made and whose answer was lost reads as none, or as another one's: what lies there says whose lease it is.
        if (leased.error.reason === 'unavailable') lost = leased.error;
      } else {
        await ports.wait(LOOK_EVERY_MS * (1 + ports.random()));
      }
      const read = await vault.read(of.place);
      if (!read.ok) return read;
      if (read.value === undefined) return err({ reason: 'not_connected' });
      if (lost !== undefined && read.value.envelope.lease?.holder !== holder) return err(lost);
      current = read.value;
    }
  };

  return (of, seen, urgency) => {
    const { owner, provider } = of.place;
    const key = JSON.stringify([owner.orgId, owner.subject, provider, versionOf(seen.vaulted)]);
    const waiting = underWay.get(`now ${key}`);
    const early = underWay.get(`early ${key}`);
    if (urgency === 'now' && waiting !== undefined) return waiting;
    if (urgency === 'early' && (waiting ?? early) !== undefined) {
      return Promise.resolve(unavailable('it is being refreshed'));
    }
    const own = lead(of, seen, urgency).finally(() => underWay.delete(`${urgency} ${key}`));
    underWay.set(`${urgency} ${key}`, own);
    return own;
  };
}

/**
 * Asks the provider, as the holder of the lease, while there is time. An outage is no end of a connection; that its token is taken no more
 * is. A refusal for no known reason ends nothing, as a provider that is broken refuses whatever it is sent; but without a refresh the
 * connection is of no use from the end of its access token on, and where one is needed now, from now on. What comes will be sealed with a data key that is there before: a provider that rotates takes a refresh token once.
 */
async function refresh(
  ports: ConnectionPorts,
  vault: Vault,
  { place, provider }: Renewed,
  { leased, untilMs, urgency }: Leading,
): Promise<Result<VaultedConnection, ConnectionFailure>> {
  const { vaulted, envelope } = leased;
  const failed = async (refused: string, detail: string) => {
    const event = 'connection_refresh_failed';
    ports.log({ level: 'error', event, provider: provider.name, refused, detail });
    const nowMs = ports.now();
    const endsAtMs = urgency === 'now' ? nowMs : (vaulted.expiresAtSeconds ?? 0) * 1_000;
    const brokenFromMs = Math.min(endsAtMs, envelope.brokenFromMs ?? endsAtMs);
    const isDoubted = refused === 'doubtful' || envelope.brokenFromMs !== undefined;
    const doubt = isDoubted ? { brokenFromMs } : {};
    const pauseMs = doubt.brokenFromMs === undefined ? PAUSE_MS : DOUBT_PAUSE_MS;
    const noted = await vault.note(place, leased, { pausedUntilMs: nowMs + pauseMs, ...doubt });
    // What somebody else has written meanwhile may be of use.
    return notRenewed(noted.ok ? doubt : {}, `${provider.name}: ${detail}`);
  };
  const write = await vault.prepare(place);
  if (!write.ok) return failed('unclear', write.error.detail);
  const lease = { leased, untilMs, write: write.value };
  const tokens = await askForTokens(
    ports,
    { provider, owner: place.owner, untilMs: mayAskUntilMs(untilMs) },
    { grant_type: 'refresh_token', refresh_token: vaulted.refreshToken?.reveal() ?? '' },
  );
  if (!tokens.ok) {
    const { refused, detail } = tokens.error;
    if (refused === 'grant') {
      return keepRenewed(ports, vault, place, lease, { ...vaulted, status: 'broken' }, async () => {});
    }
    return failed(refused, detail);
  }
  const { accessToken, refreshToken, lifetimeSeconds, scopes } = tokens.value;
  const nowSeconds = Math.floor(ports.now() / 1_000);
  const renewed: VaultedConnection = {
    ...vaulted,
    generation: vaulted.generation + 1,
    accessToken,
    refreshToken: refreshToken ?? vaulted.refreshToken,
    expiresAtSeconds: lifetimeSeconds === undefined ? undefined : nowSeconds + lifetimeSeconds,
    granted: scopes ?? vaulted.granted,
    refreshedAtSeconds: nowSeconds,
  };
  const revokeUnkept = () => {
    const asking = { provider, owner: place.owner, untilMs: ports.now() + REFRESH_MS };
    return revoke(ports, asking, renewed);
  };
  return keepRenewed(ports, vault, place, lease, renewed, revokeUnkept);
}

/** Nothing where no doubt was noted. */
function doubtOf({ brokenFromMs }: Notes): Pick<Notes, 'brokenFromMs'> {
  return brokenFromMs === undefined ? {} : { brokenFromMs };
}

function notRenewed({ brokenFromMs }: Notes, detail: string): Result<never, ConnectionFailure> {
  return brokenFromMs === undefined ? unavailable(detail) : err({ reason: 'broken', detail });
}

function unavailable(detail: string): Result<never, Unavailable> {
  return err({ reason: 'unavailable', detail });
}
