const RANGES = /^[1-9]\d{0,9}(?:-[1-9]\d{0,9})?(?:,[1-9]\d{0,9}(?:-[1-9]\d{0,9})?)*$/;

/** Numbers from 1 as ascending ranges: `3-17,20`. Empty for none. */
export function writeRanges(numbers: Iterable<number>): string {
  const ranges: [number, number][] = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

/** The first and the last number of each range that {@link writeRanges} wrote. None of a text that it did not write. */
export function readRanges(text: string | undefined): readonly (readonly [from: number, to: number])[] {
  if (text === undefined || !RANGES.test(text)) return [];
  return text.split(',').map((range) => {
    const [from = '', to = from] = range.split('-');
    return [Number(from), Number(to)];
  });
}
