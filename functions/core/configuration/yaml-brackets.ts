const CLOSING = /^[ \t]*[\]}]/;
const BLANK_OR_COMMENT = /^[ \t]*(?:#.*)?$/;
/** A comment, and what is before it: there, quotes are closed. */
const COMMENT = /^((?:[^"'#]|"[^"\\]*"|'[^']*'|(?<![ \t])#)*)(#.*)$/;

/**
 * The text with closing brackets that begin a line drawn to the line before, and every character but those line ends and comments where it was.
 * YAML 1.2 wants such a bracket further in than the key of its list or map; most write it below the key all the same, and what is meant is clear.
 */
export function drawBracketsUp(text: string): string {
  const lines = text.split('\n');
  let isBeforeBracket = false;
  for (const [index, line] of [...lines.entries()].reverse()) {
    const end = isBeforeBracket ? ' ' : '\n';
    const drawn = isBeforeBracket ? withoutComment(line) : line;
    isBeforeBracket = CLOSING.test(line) || (isBeforeBracket && BLANK_OR_COMMENT.test(line));
    lines[index] = index === lines.length - 1 ? drawn : `${drawn}${end}`;
  }
  return lines.join('');
}

function withoutComment(line: string): string {
  const text = line.endsWith('\r') ? `${line.slice(0, -1)} ` : line;
  if (BLANK_OR_COMMENT.test(text)) return ' '.repeat(text.length);
  return text.replace(COMMENT, (_, before: string, comment: string) => before + ' '.repeat(comment.length));
}
