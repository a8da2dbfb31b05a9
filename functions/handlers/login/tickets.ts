import { LOGIN_SECONDS } from '../../core/login-ticket.ts';
import type { RecordKey } from '../../core/ports.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { IssuerPorts } from '../issuer-ports.ts';
import type { BrowserProblem } from '../pages/problem-page.ts';

/** A ticket lives for ten minutes; clocks of two environments differ by less than one. */
const KEPT_SECONDS = LOGIN_SECONDS + 60;

/**
 * Where a ticket stands: in the form of the consent page, or on its way to one identity provider and back; in the form of the connect page of
 * one provider, or on its way to that provider and back.
 */
export type TicketPlace =
  | { readonly kind: 'consent' }
  | { readonly kind: 'login'; readonly idp: string }
  | { readonly kind: 'connect' | 'connecting'; readonly provider: string };

/** What sealing, opening and using up tickets needs. */
export type TicketPorts = Pick<IssuerPorts, 'sealer' | 'records' | 'randomBytes' | 'now'>;

/** Seals the text of a ticket for one browser and one place; undefined while the sealing secret cannot be read. */
export async function sealTicket(
  ports: TicketPorts,
  place: TicketPlace,
  browserId: string,
  text: string,
): Promise<string | undefined> {
  const sealer = await ports.sealer();
  return sealer?.seal(place.kind, contextOf(place, browserId), text, ports.randomBytes(12));
}

/** Opens a ticket: sealed by us, for this place and this browser, and not past its time. Does NOT say whether it was used. */
export async function openTicket<T extends { readonly expiresAtSeconds: number }>(
  ports: TicketPorts,
  place: TicketPlace,
  browserId: string,
  sealed: string,
  read: (text: string) => T | undefined,
): Promise<Result<T, BrowserProblem>> {
  const sealer = await ports.sealer();
  if (sealer === undefined) return err('unavailable');
  const text = sealer.open(place.kind, contextOf(place, browserId), sealed);
  const ticket = text === undefined ? undefined : read(text);
  if (ticket === undefined) return err('wrong_browser');
  return ports.now() / 1000 < ticket.expiresAtSeconds ? ok(ticket) : err('expired');
}

/** Says early that a ticket was used, so that nothing is written for it. Only {@link useOnce} decides. */
export async function refuseUsed(
  ports: TicketPorts,
  place: TicketPlace,
  onceId: string,
  orgId: string,
): Promise<Result<void, BrowserProblem>> {
  const read = await ports.records.read(onceKey(place, onceId, orgId));
  if (!read.ok) return err('unavailable');
  return read.value === undefined ? ok(undefined) : err('used');
}

/** Of any number of uses one is the first; it is as if no other had happened. */
export async function useOnce(
  ports: TicketPorts,
  place: TicketPlace,
  onceId: string,
  orgId: string,
): Promise<Result<void, BrowserProblem>> {
  const keptUntilSeconds = Math.floor(ports.now() / 1000) + KEPT_SECONDS;
  const used = await ports.records.create(onceKey(place, onceId, orgId), 'used', keptUntilSeconds);
  if (used.ok) return used;
  return err(used.error.reason === 'conflict' ? 'used' : 'unavailable');
}

function onceKey(place: TicketPlace, onceId: string, orgId: string): RecordKey {
  // The issuer keeps the ones, control the others: neither writes among what the other one counts on.
  const isOfIssuer = place.kind === 'consent' || place.kind === 'login';
  return { kind: isOfIssuer ? 'ONCE' : 'CONNECT', orgId, id: `${place.kind}.${onceId}` };
}

/** A ticket for one provider does not open at the callback of another (RFC 9700 §4.4.2.2). */
function contextOf(place: TicketPlace, browserId: string): string {
  switch (place.kind) {
    case 'consent':
      return JSON.stringify([browserId]);
    case 'login':
      return JSON.stringify([browserId, place.idp]);
    case 'connect':
    case 'connecting':
      return JSON.stringify([browserId, place.provider]);
  }
}
