import { createHash } from 'node:crypto';

/** The one style sheet of our pages. Contrast is at least 4.5:1 for text and 3:1 for controls, light and dark; 320 px wide is enough. */
export const STYLE = `
:root{color-scheme:light dark;--ink:#1b2430;--quiet:#4d5969;--page:#f3f5f8;--card:#fff;--line:#c5cdd8;--act:#0b57a4;--on-act:#fff;--warn:#7a4100;--warn-page:#fff4e0;--warn-line:#d9a441}
@media (prefers-color-scheme:dark){:root{--ink:#e8edf4;--quiet:#aeb9c7;--page:#11161d;--card:#1a212b;--line:#48566a;--act:#7fb8f5;--on-act:#0c1621;--warn:#ffd591;--warn-page:#33270f;--warn-line:#a87a21}}
*{box-sizing:border-box}
body{margin:0;padding:1.5rem 1rem;background:var(--page);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
main{max-width:34rem;margin:0 auto;padding:1.5rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem}
@media (max-width:24rem){body{padding:.5rem}main{padding:1rem}}
h1{margin:0 0 1rem;font-size:1.375rem;line-height:1.3}
h2{margin:1.5rem 0 .5rem;font-size:1rem}
p{margin:0 0 1rem}
dl{margin:0;display:grid;gap:.25rem 1rem}
@media (min-width:30rem){dl{grid-template-columns:max-content 1fr}}
dt{color:var(--quiet)}
dd{margin:0 0 .5rem;font-weight:600}
ul{margin:0;padding:0;list-style:none}
li{padding:.5rem 0;border-top:1px solid var(--line)}
li:last-child{border-bottom:1px solid var(--line)}
a{color:var(--act)}
code{display:block;color:var(--quiet);font:.875rem/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.warning{margin:1.5rem 0 0;padding:.75rem 1rem;background:var(--warn-page);border:1px solid var(--warn-line);border-radius:.5rem;color:var(--warn)}
.quiet{margin:1rem 0 0;color:var(--quiet);font-size:.875rem}
form{display:grid;gap:.75rem;margin-top:1.5rem}
button{min-height:2.75rem;padding:.625rem 1rem;border:1px solid var(--act);border-radius:.5rem;background:var(--card);color:var(--act);font:inherit;font-weight:600;cursor:pointer}
button.first{background:var(--act);color:var(--on-act)}
button.deny{border-color:var(--quiet);color:var(--ink)}
button:hover{text-decoration:underline}
:focus-visible{outline:3px solid var(--act);outline-offset:3px}
`;

/** The style sheet as a source of `style-src` (CSP 3 §2.3.1): nothing else may style a page of ours. */
export const STYLE_SOURCE = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;
