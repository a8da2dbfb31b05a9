import { type Canary, type Channel, canary, findCanaries, mayBeSeen } from '../canary.ts';
import type { Exchange } from './exchange.ts';

/** Something that must not be. A leak is bytes that reached somebody or something they are not for; a fault is any other wrong answer. */
export type Finding = {
  readonly sort: 'leak' | 'fault';
  readonly request: number | undefined;
  readonly what: string;
};

const MAX_KEPT = 50;
/** A compact JWS: none may leave but the identity token that was made for this caller and server. */
const TOKEN = /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g;

/** Looks at everything that leaves the gateway on any channel, and counts what it saw. */
export class Judge {
  readonly findings: Finding[] = [];
  readonly seen = new Map<Channel, number>();
  leaks = 0;
  faults = 0;
  /** Which caller and server each isolation key of connections stands for. */
  readonly #isolation = new Map<string, string>();

  leak(exchange: Exchange | undefined, what: string): void {
    this.leaks += 1;
    this.#keep({ sort: 'leak', request: exchange?.plan.number, what });
  }

  fault(exchange: Exchange | undefined, what: string): void {
    this.faults += 1;
    this.#keep({ sort: 'fault', request: exchange?.plan.number, what });
  }

  /** Every canary of the text must be this request's own, and of a kind that belongs there. */
  inspect(channel: Channel, text: string, exchange: Exchange | undefined): readonly Canary[] {
    const canaries = findCanaries(text);
    this.seen.set(channel, (this.seen.get(channel) ?? 0) + canaries.length);
    for (const found of canaries) {
      if (exchange?.owns(found) === true && mayBeSeen(found.kind, channel)) continue;
      const whose = exchange?.owns(found) === true ? 'its own' : "another's";
      this.leak(exchange, `${whose} ${found.kind} ${found.id} in ${channel}: ${excerpt(text, found)}`);
    }
    if (channel !== 'upstream') {
      for (const [token] of text.matchAll(TOKEN))
        this.leak(exchange, `a token in ${channel}: ${token.slice(0, 60)}…`);
    }
    return canaries;
  }

  /** Tokens that go to a server behind: the identity token of this caller, for this server, and no other. */
  inspectTokens(text: string, exchange: Exchange): number {
    let count = 0;
    for (const [token] of text.matchAll(TOKEN)) {
      count += 1;
      const [, payload = ''] = token.split('.');
      const claims: Record<string, unknown> = JSON.parse(Buffer.from(payload, 'base64url').toString());
      const { party, token: own, target } = exchange.plan;
      const expected = {
        org_id: party.orgId,
        client_id: party.clientId,
        sub: party.subject,
        jti: canary('token', own.serial),
        scope: own.scopes.join(' '),
        aud: target.url,
        token_kind: 'identity',
      };
      for (const [name, value] of Object.entries(expected)) {
        if (claims[name] !== value)
          this.leak(exchange, `a token upstream with ${name} ${String(claims[name])}`);
      }
    }
    return count;
  }

  /** Connections are shared under one key: it must stand for one caller at one server alone. */
  inspectIsolation(key: string, exchange: Exchange): void {
    const { party, target } = exchange.plan;
    const whose = `${party.index} ${target.kind} ${target.name}`;
    const known = this.#isolation.get(key);
    if (known === undefined) this.#isolation.set(key, whose);
    else if (known !== whose) this.leak(exchange, `connections of ${known} are shared with ${whose}`);
  }

  #keep(finding: Finding): void {
    if (this.findings.length < MAX_KEPT) this.findings.push(finding);
  }
}

function excerpt(text: string, { kind, id }: Canary): string {
  const at = text.indexOf(canary(kind, id));
  return text.slice(Math.max(0, at - 40), at + 40).replaceAll('\n', ' ');
}
