import { parseDocument, visit } from 'yaml';

/** A number as it is written, because `9007199254740993` and `0.1` are no JavaScript numbers. */
export class Numeral {
  readonly lexeme: string;

  constructor(lexeme: string) {
    this.lexeme = lexeme;
  }
}

/** What a YAML or JSON text says, as plain values in which each number is a {@link Numeral}. */
export function parsePlain(text: string): unknown {
  const document = parseDocument(text, { version: '1.2' });
  const [problem] = document.errors;
  if (problem !== undefined) throw problem;
  visit(document, {
    Scalar(_key, scalar) {
      if (typeof scalar.value === 'number') scalar.value = new Numeral(scalar.source ?? '');
    },
  });
  return document.toJS();
}

/** A mapping of a YAML or JSON text. */
export type Plain = { readonly [name: string]: unknown };

/** A mapping, or nothing where it is something else. */
export function mapping(value: unknown): Plain | undefined {
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: an object that is no list is what YAML calls a mapping
  return isMapping && !(value instanceof Numeral) ? (value as Plain) : undefined;
}

/** The texts of a list, or nothing where there is none. */
export function texts(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.map(String) : undefined;
}
