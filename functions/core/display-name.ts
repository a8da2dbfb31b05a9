const MAX_CHARACTERS = 80;

/**
 * A name as people are shown it, whoever chose it: at most 80 characters, none of them invisible, a control or a mark that turns the
 * writing (Unicode category C), and none of them cut in half. It decides nothing.
 */
export function displayName(name: string): string {
  // Half a character is of category C, too.
  const shown = Array.from(name.replace(/\p{C}/gu, ''));
  return shown.slice(0, MAX_CHARACTERS).join('');
}
