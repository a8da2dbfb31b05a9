/** How a request leaves the agent. */
export type Send = (url: string, init: RequestInit) => Promise<Response>;

/** An answer that the agent stopped at, with its text. */
export type Shown = {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
};

/** A form of a page, as a browser reads it. */
export type ShownForm = {
  readonly action: string;
  readonly method: 'get' | 'post';
  readonly fields: Readonly<Record<string, string>>;
  readonly buttons: readonly { readonly name: string; readonly value: string; readonly text: string }[];
};

const MAX_STEPS = 12;

/**
 * A browser without a browser: keeps cookies per host, follows redirects, reads forms and sends them with the headers that browsers send.
 * It stops where `isEnd` says that a URL belongs to somebody else.
 */
export class BrowserAgent {
  readonly #send: Send;
  readonly #isEnd: (url: string) => boolean;
  readonly #jars = new Map<string, Map<string, string>>();
  /** Every URL that was asked for, in order. */
  readonly visited: string[] = [];

  constructor(isEnd: (url: string) => boolean, send: Send = (url, init) => fetch(url, init)) {
    this.#isEnd = isEnd;
    this.#send = send;
  }

  /** Opens a URL and follows wherever it leads. */
  open(url: string): Promise<Shown> {
    return this.#follow(url, {}, 'none');
  }

  /** Presses a button of a form on a page; `fields` are filled in. */
  submit(
    page: Shown,
    button: (text: string) => boolean = () => true,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<Shown> {
    const form = readForm(page.text);
    const pressed = form.buttons.find(({ text }) => button(text));
    if (pressed === undefined) throw new Error(`no such button at ${page.url}: ${page.text}`);
    const body = new URLSearchParams({ ...form.fields, ...fields });
    if (pressed.name !== '') body.set(pressed.name, pressed.value);
    const url = new URL(form.action, page.url);
    if (form.method === 'post') return this.#follow(url.href, { method: 'POST', body }, 'same-origin');
    url.search = body.toString();
    return this.#follow(url.href, {}, 'same-origin');
  }

  cookies(url: string): ReadonlyMap<string, string> {
    return this.#jarOf(url);
  }

  setCookie(url: string, name: string, value: string | undefined): void {
    if (value === undefined) this.#jarOf(url).delete(name);
    else this.#jarOf(url).set(name, value);
  }

  async #follow(first: string, init: RequestInit, site: string): Promise<Shown> {
    let url = first;
    let request = init;
    for (let step = 0; step < MAX_STEPS; step += 1) {
      if (this.#isEnd(url)) return { url, status: 0, headers: new Headers(), text: '' };
      this.visited.push(url);
      const headers = new Headers(request.headers);
      const jar = this.#jarOf(url);
      if (jar.size > 0)
        headers.set('cookie', Array.from(jar, ([name, value]) => `${name}=${value}`).join('; '));
      headers.set('sec-fetch-site', step === 0 ? site : 'cross-site');
      if (request.method === 'POST') headers.set('origin', new URL(url).origin);
      const response = await this.#send(url, { ...request, headers, redirect: 'manual' });
      this.#keep(url, response);
      const location = response.headers.get('location');
      if (response.status < 300 || response.status > 399 || location === null) {
        return { url, status: response.status, headers: response.headers, text: await response.text() };
      }
      await response.body?.cancel();
      url = new URL(location, url).href;
      request = {};
    }
    throw new Error(`more than ${MAX_STEPS} redirects: ${this.visited.join(' → ')}`);
  }

  #keep(url: string, response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const [name = '', ...value] = pair.split('=');
      const isOver = attributes.some((attribute) =>
        /^(?:max-age=0|expires=thu, 01 jan 1970.*)$/i.test(attribute),
      );
      this.setCookie(url, name, isOver ? undefined : value.join('='));
    }
  }

  #jarOf(url: string): Map<string, string> {
    const { host } = new URL(url);
    const jar = this.#jars.get(host) ?? new Map<string, string>();
    this.#jars.set(host, jar);
    return jar;
  }
}

/** The first form of a page. */
export function readForm(page: string): ShownForm {
  const [, head = '', body = ''] = /<form([^>]*)>([\s\S]*?)<\/form>/.exec(page) ?? [];
  const fields = Array.from(body.matchAll(/<input([^>]*)>/g), ([, attributes = '']) => attributes)
    .filter((attributes) => !/type="(?:submit|checkbox)"/.test(attributes))
    .map((attributes) => [attribute(attributes, 'name'), attribute(attributes, 'value')] as const);
  const buttons = Array.from(
    body.matchAll(/<button([^>]*)>([\s\S]*?)<\/button>/g),
    ([, attributes = '', text = '']) => ({
      name: attribute(attributes, 'name'),
      value: attribute(attributes, 'value'),
      text: decode(text.trim()),
    }),
  );
  const method = attribute(head, 'method').toLowerCase() === 'post' ? 'post' : 'get';
  return { action: attribute(head, 'action'), method, fields: Object.fromEntries(fields), buttons };
}

function attribute(attributes: string, name: string): string {
  return decode(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '');
}

function decode(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}
