const LINE_END = /\r\n|\n|\r/g;

/** Answers on which line of a text, from 1, so many UTF-16 units from its beginning are. */
export function lineCounter(text: string): (offset: number) => number {
  let starts: readonly number[] | undefined;
  return (offset) => {
    starts ??= [0, ...Array.from(text.matchAll(LINE_END), (end) => end.index + end[0].length)];
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (Number(starts[middle]) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
