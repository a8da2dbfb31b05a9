import { MAX_NAME_LENGTH } from '../action.ts';
import { foldName } from '../json.ts';

/** A scheme, and the slashes behind it: readers differ in how many there are. */
const SCHEME = /^([^/?#]*:)(\/{0,3})/;

/** Where a host stands, in what is read as `http` or `https`. */
const HTTP_HOST = /^(https?:\/*)([^/?#]*)/iu;

/** A user before the host, a dot at its end and the port of the scheme lead to where they lead without them (RFC 3986 §6.2.3). */
const AUTHORITY = /^(https?):(\/*)([^/?#]*)(.*)$/su;

const ESCAPING = /[\\\s]|%(?:2[ef5]|5c|[01][0-9a-f]|7f)/iu;
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u;
const DOT_SEGMENT = /^\.\.?(?:;|$)/;

/** A URI that patterns are held against, in all its spellings: they are looked for once, when a pattern first needs them. */
export class ResourceUri {
  readonly text: string;
  #hasTwoReadings: boolean | undefined;
  #isUnclear: boolean | undefined;
  #spellings: readonly string[] | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /**
   * Could some reader take it for another one? It has a dot segment (with parameters, too), a backslash, white space, an encoded dot,
   * slash, backslash or percent sign, control and invisible characters, characters that stand for others (NFKC), encoded bytes that are no
   * UTF-8, or more characters than any name may have.
   */
  get hasTwoReadings(): boolean {
    this.#hasTwoReadings ??= hasTwoReadings(this.text);
    return this.#hasTwoReadings;
  }

  /** Can nobody say what it names? It has two readings, an empty segment, or, of `http` and `https`, no host that could be called. */
  get isUnclear(): boolean {
    this.#isUnclear ??= this.hasTwoReadings || hasEmptySegment(this.text) || hostOf(this.text) === null;
    return this.#isUnclear;
  }

  /** All spellings that lead to where it leads, folded; only of one that is not unclear. */
  get spellings(): readonly string[] {
    this.#spellings ??= spellingsOf(this.text);
    return this.#spellings;
  }
}

/** What a pattern of a deny is compared as: folded, and once more with its host as it is looked up. */
export function spellingsOfPattern(pattern: string): readonly string[] {
  const [begin, , authority = ''] = HTTP_HOST.exec(pattern) ?? [];
  const host = begin === undefined || /[*{}@]/.test(authority) ? undefined : hostOf(begin);
  return [...new Set([pattern, withHost(pattern, host)])];
}

/** Equal for texts that differ in case, or in how letters and their accents are put together. */
export function fold(text: string): string {
  return foldLetters(text.normalize('NFC'));
}

/** A sigma is another letter at the end of a word, and where a word ends a pattern does not say. */
function foldLetters(text: string): string {
  return foldName(text).replaceAll('ς', 'σ');
}

function hasTwoReadings(text: string): boolean {
  if (text.length > MAX_NAME_LENGTH || ESCAPING.test(text)) return true;
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    return true;
  }
  if (INVISIBLE.test(decoded) || decoded.normalize('NFKC') !== decoded.normalize('NFC')) return true;
  return decoded.split(/[/?#]/).some((segment) => DOT_SEGMENT.test(segment));
}

function hasEmptySegment(text: string): boolean {
  return text
    .replace(SCHEME, '')
    .replace(/[?#].*$/su, '')
    .includes('//');
}

/** The host and the port of `http` and `https` as they are looked up; null where there is none, undefined of other schemes. */
function hostOf(text: string): string | null | undefined {
  return HTTP_HOST.test(text) ? (URL.parse(text)?.host ?? null) : undefined;
}

function withHost(text: string, host: string | null | undefined): string {
  return host ? text.replace(HTTP_HOST, (_, begin: string) => `${begin}${host}`) : text;
}

/**
 * Each once more as it is read without its fragment, its query, the parameters of its segments, the slash at its end, what may be left out
 * of its authority, and with any slashes behind its scheme.
 */
function spellingsOf(uri: string): readonly string[] {
  const host = hostOf(uri);
  const written = [uri, decodeURIComponent(uri)].flatMap((text) => [text, withHost(text, host)]);
  // A star may end between a letter and its accent, so the letters stand as they are written, too.
  const whole = [...new Set(written)].flatMap((text) => [fold(text), foldLetters(text)]);
  const plain = [...new Set(whole)].flatMap((text) => [text, text.replace(/;[^/?#]*/gu, '')]);
  const bare = [...new Set(plain)].flatMap((text) => [
    text,
    text.replace(/#.*$/su, ''),
    text.replace(/[?#].*$/su, ''),
  ]);
  const ended = [...new Set(bare.flatMap((text) => [text, text.replace(/\/$/, '')]))];
  const hosted = [...new Set(ended.flatMap(authoritiesOf))];
  const slashed = (text: string) =>
    ['$1', '$1/', '$1//', '$1///'].map((begin) => text.replace(SCHEME, begin));
  return [...new Set(hosted.flatMap(slashed))];
}

function authoritiesOf(text: string): readonly string[] {
  const [, scheme, slashes, authority, rest] = AUTHORITY.exec(text) ?? [];
  if (scheme === undefined || authority === undefined) return [text];
  const port = scheme === 'http' ? '80' : '443';
  const host = authority.replace(/^.*@/su, '');
  const other = /:([0-9]*)$/u.exec(host)?.[1]?.replace(/^0+/, '');
  const bare = host.replace(/:[0-9]*$/u, '').replace(/\.$/, '');
  const isDefault = other === undefined || other === '' || other === port;
  const ends = isDefault ? ['', `:${port}`] : [`:${other}`];
  const hosts = ends.flatMap((end) => [`${bare}${end}`, `${bare}.${end}`]);
  return [text, ...[host, ...hosts].map((one) => `${scheme}:${slashes}${one}${rest}`)];
}
