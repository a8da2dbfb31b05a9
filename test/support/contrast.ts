/** What {@link findWeakContrast} found: a text, its colours, and the ratio between them. */
export type WeakContrast = { readonly text: string; readonly ratio: number };

/**
 * Runs inside a page: every text whose contrast with what is behind it is below WCAG 2.2 AA (§1.4.3: 4.5, or 3 for large text). It must be
 * one function that refers to nothing outside itself.
 */
export function findWeakContrast(): readonly WeakContrast[] {
  const parse = (colour: string) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (colour: string) => {
    const [r = 0, g = 0, b = 0] = parse(colour).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const document = Reflect.get(globalThis, 'document');
  const styleOf = (element: object) => Reflect.get(globalThis, 'getComputedStyle')(element);
  const backgroundOf = (element: { parentElement: never } | null): string => {
    if (element === null) return 'rgb(255, 255, 255)';
    const { backgroundColor } = styleOf(element);
    const isClear = parse(backgroundColor).length === 4 && parse(backgroundColor)[3] === 0;
    return isClear ? backgroundOf(element.parentElement) : backgroundColor;
  };
  const found: WeakContrast[] = [];
  for (const element of document.querySelectorAll('main, main *')) {
    const text = Array.from<{ nodeType: number; textContent: string }>(element.childNodes)
      .filter(({ nodeType }) => nodeType === 3)
      .map(({ textContent }) => textContent.trim())
      .join('');
    if (text === '') continue;
    const style = styleOf(element);
    const [one, other] = [luminance(style.color), luminance(backgroundOf(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const size = Number.parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) found.push({ text, ratio });
  }
  return found;
}
