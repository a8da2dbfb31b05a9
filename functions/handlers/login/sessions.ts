import { locateCode, makeCode } from '../../core/authorization-code.ts';
import {
  type BrowserSession,
  readSession,
  SESSION_SECONDS,
  writeSession,
} from '../../core/browser-session.ts';
import type { IdentityProvider } from '../../core/identity-provider.ts';
import type { ClientEntry, Policy } from '../../core/policy.ts';
import type { Unavailable } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { IssuerPorts } from '../issuer-ports.ts';
import { lookForRevocation } from '../revocation-look.ts';
import { readCookie, writeCookie } from './browser.ts';
import { providerFor } from './providers.ts';

const SESSION_COOKIE = '__Host-sallyport_session';

/**
 * The session of a browser, where it still holds for this client: readable, not past its time, its provider is still one of the client's, and neither
 * session, user, client nor organisation is revoked since. Undefined: nobody is logged in.
 */
export async function currentSession(
  ports: SessionPorts,
  policy: Policy,
  client: ClientEntry,
  request: Request,
): Promise<Result<BrowserSession | undefined, Unavailable>> {
  const providerOf = (idp: string) => providerFor(policy, client, idp);
  const held = await heldSession(ports, policy, { clientId: client.id, providerOf }, request);
  return held.ok ? ok(held.value?.session) : held;
}

/** A session that holds, and what names it to us: never what is in the cookie. */
export type HeldSession = { readonly session: BrowserSession; readonly id: string };

/** {@link currentSession} for a page of ours, to which no client leads: its provider is still one where users log in. */
export function pageSession(
  ports: SessionPorts,
  policy: Policy,
  request: Request,
): Promise<Result<HeldSession | undefined, Unavailable>> {
  const providerOf = (idp: string) => {
    const provider = policy.idps.get(idp);
    return provider === undefined || policy.isSuspended(provider.org) ? undefined : provider;
  };
  return heldSession(ports, policy, { clientId: OWN_PAGES, providerOf }, request);
}

/** No client has this id, so that nothing is revoked for it. */
const OWN_PAGES = '/';

/** What looking for a session needs. */
export type SessionPorts = Pick<IssuerPorts, 'records' | 'revocations' | 'log'>;

async function heldSession(
  ports: SessionPorts,
  policy: Policy,
  by: {
    readonly clientId: string;
    readonly providerOf: (idp: string) => IdentityProvider | undefined;
  },
  request: Request,
): Promise<Result<HeldSession | undefined, Unavailable>> {
  const place = locateCode(readCookie(request, SESSION_COOKIE) ?? '');
  if (place === undefined) return ok(undefined);
  const record = await ports.records.read({ kind: 'SESSION', ...place });
  if (!record.ok) return record;
  if (record.value === undefined) return ok(undefined);
  const session = readSession(place.orgId, record.value.text);
  if (session === undefined) {
    // It will be no better in a moment; a new login replaces it.
    ports.log({ level: 'error', event: 'session_unreadable', org: place.orgId });
    return ok(undefined);
  }
  const provider = by.providerOf(session.idp);
  if (provider === undefined || provider.org !== session.orgId) return ok(undefined);
  const revoked = await lookForRevocation(ports.revocations, policy, {
    orgId: session.orgId,
    jti: place.id,
    clientId: by.clientId,
    subject: session.subject,
    groups: session.groups,
    issuedAtSeconds: session.createdAtSeconds,
    expiresAtSeconds: record.value.expiresAtSeconds,
  });
  if (!revoked.ok) return revoked;
  return ok(revoked.value ? undefined : { session, id: place.id });
}

/**
 * Begins a session and gives its cookie. Its id is new with every login, and is made as a code is: 256 random bits behind the
 * organisation, of which a digest is stored.
 */
export async function beginSession(
  ports: IssuerPorts,
  session: BrowserSession,
): Promise<Result<string, Unavailable>> {
  const id = makeCode(session.orgId, ports.randomBytes(32));
  const place = locateCode(id);
  if (place === undefined) throw new TypeError('a session id of ours is one that we find');
  const created = await ports.records.create(
    { kind: 'SESSION', ...place },
    writeSession(session),
    session.createdAtSeconds + SESSION_SECONDS,
  );
  // Nobody else has this id: a conflict is our own write, whose answer was lost.
  if (!created.ok && created.error.reason === 'unavailable') return err(created.error);
  return ok(writeCookie(SESSION_COOKIE, id, SESSION_SECONDS));
}

/** The session of a browser, whichever client asks; undefined where there is none. Does NOT say whether it still holds for a client. */
export async function readOwnSession(
  ports: IssuerPorts,
  request: Request,
): Promise<Result<BrowserSession | undefined, Unavailable>> {
  const place = locateCode(readCookie(request, SESSION_COOKIE) ?? '');
  if (place === undefined) return ok(undefined);
  const record = await ports.records.read({ kind: 'SESSION', ...place });
  if (!record.ok) return record;
  return ok(record.value && readSession(place.orgId, record.value.text));
}

/** Ends the session of a browser: nobody opens it any more by its cookie. `cookie` has the browser forget it. */
export async function endSession(
  ports: IssuerPorts,
  request: Request,
): Promise<Result<{ readonly session: BrowserSession | undefined; readonly cookie: string }, Unavailable>> {
  const cookie = writeCookie(SESSION_COOKIE, '', 0);
  const place = locateCode(readCookie(request, SESSION_COOKIE) ?? '');
  if (place === undefined) return ok({ session: undefined, cookie });
  const key = { kind: 'SESSION', ...place } as const;
  const record = await ports.records.read(key);
  if (!record.ok) return record;
  if (record.value === undefined) return ok({ session: undefined, cookie });
  const ended = await ports.records.replace(key, record.value, 'ended', Math.floor(ports.now() / 1000));
  // Nothing else ever replaces a session: in a conflict it has ended already.
  if (!ended.ok && ended.error.reason === 'unavailable') return err(ended.error);
  return ok({ session: readSession(place.orgId, record.value.text), cookie });
}
