import { Numeral } from './plain.ts';

/** Writes plain values as YAML (in its flow style), each {@link Numeral} as it stands. */
export function writePlain(value: unknown): string {
  if (value instanceof Numeral) return value.lexeme;
  if (Array.isArray(value)) return `[${value.map(writePlain).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).flatMap(([name, one]) =>
    one === undefined ? [] : [`${JSON.stringify(name)}: ${writePlain(one)}`],
  );
  return `{${members.join(', ')}}`;
}
