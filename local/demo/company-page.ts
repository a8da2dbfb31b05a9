import type { Person } from './company.ts';

/** The page on which one chooses who to be; every button comes back with the question that it answers. */
export function loginPage(staff: ReadonlyMap<string, Person>, query: URLSearchParams): Response {
  const hidden = Array.from(query, ([name, value]) => [name, value] as const)
    .filter(([name]) => name !== 'person')
    .map(([name, value]) => `<input type="hidden" name="${toText(name)}" value="${toText(value)}">`);
  const buttons = Array.from(
    staff,
    ([id, { name, role }]) =>
      `<p><button name="person" value="${toText(id)}">${toText(name)}, ${toText(role)}</button></p>`,
  );
  const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Demo company</title></head>
<body>
<main>
<h1>Demo company: who are you?</h1>
<p>This stands in for your company's login on this machine. There are no passwords here, and only the demo believes it.</p>
<form action="/authorize">
${hidden.join('\n')}
${buttons.join('\n')}
</form>
</main>
</body>
</html>
`;
  return new Response(page, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    },
  });
}

/** Text as HTML writes it. */
function toText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
