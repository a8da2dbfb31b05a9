/**
 * A text of somebody else's as a terminal may have it, on one line: what would steer it, or turn the direction of the writing, is shown by
 * its number.
 */
export function printable(text: string): string {
  return text.replace(/[\p{C}\u2028\u2029]/gu, (character) => {
    return `\\u{${character.codePointAt(0)?.toString(16)}}`;
  });
}
