import { RPC_OF_GATEWAY } from './denial-wire.ts';
import { foldName } from './json.ts';
import { JsonWatch, type Watched } from './json-watch.ts';
import { CONNECT_REQUEST } from './mcp-denial.ts';

/** What a reader of something that is no JSON to us could still take for ours; NUL is in every other encoding of JSON. */
const MARKS: readonly string[] = ['"error"', "'error'", 'licitation', 'inputrequests', '\\u00', '\0'];

const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const LITERALS: readonly (string | undefined)[] = ['null', 'true', 'false'];

/**
 * Listens to a message of a server behind, of any size, as it passes: does it speak in the gateway's name? It does with an error code of
 * ours, with our key among what it asks of the user, or by having the user open a page at our host, in a batch too. Does NOT say that what
 * passes is honest: a server may have users open pages of its own, and clients show them where a URL leads (mcp 2025-11-25 §elicitation).
 */
export class Voice {
  readonly #ourHost: string | undefined;
  readonly #watch: JsonWatch;
  #isOurs = false;
  #asks = false;
  #leadsToUs = false;

  constructor(origin: string) {
    this.#ourHost = hostOf(origin);
    const message: Watched = { member: byName(this.#parts()) };
    const begin = () => {
      this.#asks = false;
      this.#leadsToUs = false;
      return message;
    };
    this.#watch = new JsonWatch({ ...message, item: begin });
  }

  /** It speaks in the gateway's name, or is suspected to. */
  get isOurs(): boolean {
    return this.#isOurs;
  }

  /** This is no JSON, so that nobody can say what it speaks. */
  get isUnclear(): boolean {
    return this.#watch.isLost;
  }

  push(bytes: Buffer): void {
    this.#watch.push(bytes);
  }

  /** Some readers will find a message that nobody can listen to. */
  suspect(): void {
    this.#isOurs = true;
  }

  /** The message is over. Has it been none, or not all of one? */
  end(): { readonly isBroken: boolean } {
    this.#watch.end();
    return { isBroken: !this.#watch.isWhole && !this.#watch.isEmpty };
  }

  /** Listens to another message. */
  reset(): void {
    this.#watch.reset();
    this.#isOurs = false;
    this.#asks = false;
    this.#leadsToUs = false;
  }

  #parts(): Readonly<Record<string, Watched>> {
    const opened: Watched = {
      member: byName({
        url: {
          text: (url) => {
            this.#isOurs ||= this.#isAtUs(url);
          },
        },
      }),
    };
    const request: Watched = { member: byName({ params: opened }) };
    return {
      error: {
        member: byName({
          code: {
            scalar: (lexeme) => {
              this.#isOurs ||= isCodeOfOurs(lexeme);
            },
            text: (text) => {
              this.#isOurs ||= text === undefined || isReadAsOurs(text.replaceAll(PASSED_OVER, ''));
            },
          },
          data: { member: byName({ elicitations: { item: () => opened } }) },
        }),
      },
      result: {
        member: byName({
          inputRequests: {
            member: (name) => {
              this.#isOurs ||= name === CONNECT_REQUEST;
              return request;
            },
          },
        }),
      },
      // Which of the two comes first is the server's to choose.
      method: {
        text: (method) => {
          this.#asks ||= method === undefined || method === 'elicitation/create';
          this.#isOurs ||= this.#asks && this.#leadsToUs;
        },
      },
      params: {
        member: byName({
          url: {
            text: (url) => {
              this.#leadsToUs ||= this.#isAtUs(url);
              this.#isOurs ||= this.#asks && this.#leadsToUs;
            },
          },
        }),
      },
    };
  }

  /** By whatever scheme: who asks for it by another one is led on to ours. A URL that cannot be read may lead anywhere. */
  #isAtUs(url: string | undefined): boolean {
    return url === undefined || hostOf(url) === this.#ourHost;
  }
}

/**
 * Does a message, which is there in full, speak in the gateway's name? What is no JSON, or not all of one, does where any reader could find
 * that in it; then it is asked for its bytes.
 */
export function impersonates(voice: Voice, bytes: () => Buffer): boolean {
  const { isBroken } = voice.end();
  if (voice.isOurs || !isBroken) return voice.isOurs;
  const text = bytes().toString('latin1').toLowerCase();
  return text.includes(CONNECT_REQUEST) || MARKS.some((mark) => text.includes(mark));
}

function byName(parts: Readonly<Record<string, Watched>>): (name: string) => Watched | undefined {
  const known = new Map(Object.entries(parts).map(([name, part]) => [foldName(name), part]));
  return (name) => known.get(name);
}

/** In a text that is read as a number: between digits, and a line end that others take for white space and JavaScript does not. */
const PASSED_OVER = /[_\u0085]/g;

function isCodeOfOurs(lexeme: string | undefined): boolean {
  if (LITERALS.includes(lexeme)) return false;
  return lexeme === undefined || !NUMBER.test(lexeme) || isReadAsOurs(lexeme);
}

/** By a reader that takes text for a number (the official SDK of Python does), or one with a fraction for one without. */
function isReadAsOurs(text: string): boolean {
  const code = Number.parseFloat(text);
  return RPC_OF_GATEWAY.has(Math.floor(code)) || RPC_OF_GATEWAY.has(Math.ceil(code));
}

/** With a port that is not its scheme's own; without the dot at the end of a full name. */
function hostOf(url: string): string | undefined {
  return URL.parse(url)?.host.replace(/\.(?=:|$)/, '');
}
