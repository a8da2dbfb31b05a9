import { wholeSeconds } from './compact-jws.ts';
import { isJsonObject, parseJsonText, stringMember } from './json.ts';

/**
 * A connection on its way through the browser: in the form of the connect page, then as the `state` at the provider. It travels sealed, bound
 * to the browser and the provider, and is used once. Who answers must be who was asked, in the session in which that happened: the
 * finisher is the starter.
 */
export type ConnectTicket = {
  readonly orgId: string;
  readonly subject: string;
  /** Names the browser session; never what is in its cookie. */
  readonly session: string;
  /** The server or service that the page was opened for, and the client that asked; undefined where the user came alone. */
  readonly target: string | undefined;
  readonly clientId: string | undefined;
  /** What is asked for, by `digestOfScopes`. */
  readonly shown: string;
  /** 256 random bits in base64url; once id and PKCE verifier are derived from it (core/login-ticket). */
  readonly secret: string;
  readonly expiresAtSeconds: number;
};

/** The text of a ticket, short because it travels in a URL. */
export function writeConnectTicket(ticket: ConnectTicket): string {
  return JSON.stringify({
    o: ticket.orgId,
    u: ticket.subject,
    i: ticket.session,
    s: ticket.target,
    c: ticket.clientId,
    h: ticket.shown,
    k: ticket.secret,
    e: ticket.expiresAtSeconds,
  });
}

/** A ticket from its text; undefined where it is none, which a text that we sealed never is. Does NOT check its time. */
export function readConnectTicket(text: string): ConnectTicket | undefined {
  const parsed = parseJsonText(text);
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const members = parsed.value;
  const orgId = stringMember(members, 'o');
  const subject = stringMember(members, 'u');
  const session = stringMember(members, 'i');
  const shown = stringMember(members, 'h');
  const secret = stringMember(members, 'k');
  const expiresAtSeconds = wholeSeconds(members.get('e'));
  if (!orgId || !subject || !session || !shown || !secret || expiresAtSeconds === undefined) return undefined;
  const target = stringMember(members, 's');
  return {
    orgId,
    subject,
    session,
    target,
    clientId: stringMember(members, 'c'),
    shown,
    secret,
    expiresAtSeconds,
  };
}
