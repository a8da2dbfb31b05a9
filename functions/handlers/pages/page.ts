import { html, raw } from 'hono/html';
import { STYLE, STYLE_SOURCE } from './style.ts';

/** A part of a page, escaped; what `html` makes. */
export type Markup = ReturnType<typeof html>;

/** A page and what goes with it. */
export type Page = {
  readonly title: string;
  readonly content: Markup;
  readonly status: number;
  /** Sources of `form-action` (CSP 3 §6.4.1): a browser follows redirects of a form only to these. None: the page has no form. */
  readonly formAction?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Values of `Set-Cookie`. */
  readonly cookies?: readonly string[];
};

/**
 * A page as an answer. It runs no script, loads nothing, is framed by nobody, kept by nobody, and tells no other site where the browser came
 * from.
 */
export async function toPageResponse(page: Page): Promise<Response> {
  const { title, content, status, formAction = ["'none'"], headers = {}, cookies = [] } = page;
  const text = await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – Sallyport</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`;
  const policy = [
    "default-src 'none'",
    `style-src ${STYLE_SOURCE}`,
    "base-uri 'none'",
    `form-action ${formAction.join(' ')}`,
    "frame-ancestors 'none'",
  ];
  const response = new Response(String(text), {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy.join('; '),
      ...PRIVATE_HEADERS,
      'x-frame-options': 'DENY',
      ...headers,
    },
  });
  for (const cookie of cookies) response.headers.append('set-cookie', cookie);
  return response;
}

/** Headers of every answer to a browser. */
export const PRIVATE_HEADERS = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;
