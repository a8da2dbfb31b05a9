/** A question of the demo that its visitor answers by a button. */
export type Choice = {
  readonly title: string;
  readonly heading: string;
  /** A paragraph each. */
  readonly words: readonly string[];
  /** The name of the parameter that the buttons answer with. */
  readonly name: string;
  /** Value and label of each button. */
  readonly buttons: readonly (readonly [value: string, label: string])[];
};

/** The page of a choice; every button comes back with the question that it answers. */
export function choicePage(
  { title, heading, words, name, buttons }: Choice,
  query: URLSearchParams,
): Response {
  const hidden = Array.from(query, ([member, value]) => [member, value] as const)
    .filter(([member]) => member !== name)
    .map(([member, value]) => `<input type="hidden" name="${toText(member)}" value="${toText(value)}">`);
  const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${toText(title)}</title></head>
<body>
<main>
<h1>${toText(heading)}</h1>
${words.map((text) => `<p>${toText(text)}</p>`).join('\n')}
<form action="/authorize">
${hidden.join('\n')}
${buttons.map(([value, label]) => `<p><button name="${name}" value="${toText(value)}">${toText(label)}</button></p>`).join('\n')}
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
