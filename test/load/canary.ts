/** Where bytes go that the gateway handles: to the client, to a server behind, to the log, to the audit table, into keys of lookups. */
export type Channel = 'answer' | 'upstream' | 'log' | 'audit' | 'lookup';

/** What is marked, and where its own mark may be seen. Anywhere else it is a leak even of the request's own. */
const KINDS = {
  argument: { letter: 'a', may: ['upstream', 'answer'] },
  /** Of a header that travels. */
  header: { letter: 'h', may: ['upstream', 'answer'] },
  /** Of a header that must not travel. */
  hidden: { letter: 'x', may: [] },
  rpcId: { letter: 'i', may: ['upstream', 'answer'] },
  name: { letter: 'n', may: ['upstream', 'answer', 'audit'] },
  /** The caller's own `Authorization` for the upstream. */
  authorization: { letter: 'p', may: ['upstream', 'answer'] },
  requestId: { letter: 'r', may: ['answer', 'log', 'audit'] },
  secret: { letter: 's', may: ['upstream'] },
  /** Of what the server behind answers. */
  content: { letter: 'e', may: ['answer'] },
  /** Of headers of the server behind that must not reach the client. */
  topology: { letter: 'k', may: [] },
  /** A session id of the server behind. */
  session: { letter: 'm', may: ['upstream'] },
  org: { letter: 'o', may: ['audit', 'log', 'lookup'] },
  client: { letter: 'c', may: ['audit', 'log', 'lookup'] },
  subject: { letter: 'u', may: ['audit', 'log', 'lookup'] },
  token: { letter: 'j', may: ['audit', 'lookup'] },
  /** A scope that one organisation has. */
  scope: { letter: 'g', may: ['answer', 'audit'] },
  /** The name of a server that one organisation has. */
  server: { letter: 'v', may: ['upstream', 'answer', 'audit', 'log', 'lookup'] },
} as const satisfies Record<string, { readonly letter: string; readonly may: readonly Channel[] }>;

/** What a canary marks. */
export type CanaryKind = keyof typeof KINDS;

/** One canary that was found in a text. */
export type Canary = { readonly kind: CanaryKind; readonly id: number };

const MARK = 'canary';
const ID_DIGITS = 9;
const LENGTH = MARK.length + 1 + ID_DIGITS;

const BY_LETTER: ReadonlyMap<string, CanaryKind> = new Map(
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: the names of the table above
  Object.entries(KINDS).map(([kind, { letter }]) => [letter, kind as CanaryKind]),
);
const PLACES: ReadonlyMap<CanaryKind, ReadonlySet<Channel>> = new Map(
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: the names of the table above
  Object.entries(KINDS).map(([kind, { may }]) => [kind as CanaryKind, new Set<Channel>(may)]),
);

/** 16 lower-case letters and digits that name what they mark: wherever they turn up, one sees whose they are. */
export function canary(kind: CanaryKind, id: number): string {
  return `${MARK}${KINDS[kind].letter}${id.toString(36).padStart(ID_DIGITS, '0')}`;
}

/** May a canary of this kind be seen there at all? */
export function mayBeSeen(kind: CanaryKind, channel: Channel): boolean {
  return PLACES.get(kind)?.has(channel) === true;
}

/** Every whole canary in a text, whose end may have been cut off. @throws SyntaxError on one that was cut in its midst */
export function findCanaries(text: string): readonly Canary[] {
  const found: Canary[] = [];
  for (let at = text.indexOf(MARK); at >= 0; at = text.indexOf(MARK, at + 1)) {
    if (at + LENGTH > text.length) break;
    const kind = BY_LETTER.get(text.charAt(at + MARK.length));
    const digits = text.slice(at + MARK.length + 1, at + LENGTH);
    if (kind === undefined || !/^[0-9a-z]{9}$/.test(digits)) {
      throw new SyntaxError(`half a canary: ${text.slice(at, at + LENGTH)}`);
    }
    found.push({ kind, id: Number.parseInt(digits, 36) });
  }
  return found;
}
