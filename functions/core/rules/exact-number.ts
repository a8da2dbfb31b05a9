/** In digits and signs. */
const MAX_LEXEME_LENGTH = 400;

/** A double keeps fifteen digits, whatever they are. */
const KEPT = /^-?[0-9]+(?:\.[0-9]+)?$/;
const MAX_KEPT_LENGTH = 15;

type Parts = { readonly sign: -1 | 0 | 1; readonly digits: string; readonly exponent: number };

/**
 * Compares two JSON numbers as what they say, not as what a double makes of them: below zero where the first is smaller. Undefined where
 * one is too long to be compared.
 */
export function compareNumbers(left: string, right: string): number | undefined {
  if (isKept(left) && isKept(right)) return Number(left) - Number(right);
  const one = partsOf(left);
  const other = partsOf(right);
  if (one === undefined || other === undefined) return undefined;
  if (one.sign !== other.sign) return one.sign - other.sign;
  if (one.exponent !== other.exponent) return one.exponent > other.exponent ? one.sign : -one.sign;
  if (one.digits === other.digits) return 0;
  return one.digits > other.digits ? one.sign : -one.sign;
}

/** Longer ones are nobody's quantity, and would cost more to compare than to refuse. */
export function isTooLong(lexeme: string): boolean {
  return lexeme.length > MAX_LEXEME_LENGTH;
}

/** Has the number no fraction? `1.0` and `1e2` have none (JSON Schema core §6.3). Undefined where it is too long. */
export function isIntegral(lexeme: string): boolean | undefined {
  if (isKept(lexeme)) return Number.isInteger(Number(lexeme));
  const parts = partsOf(lexeme);
  return parts === undefined ? undefined : parts.sign === 0 || parts.exponent >= parts.digits.length;
}

/**
 * What is said of a JSON number, where it is the same of the double that most readers make of it; undefined where it is not, so that no
 * digits behind those of a double change who is let through, and where it is too long.
 */
export function sayOfNumber(
  lexeme: string,
  say: (number: string) => boolean | undefined,
): boolean | undefined {
  if (isTooLong(lexeme)) return undefined;
  const exact = say(lexeme);
  if (isKept(lexeme)) return exact;
  return exact === say(String(Number(lexeme))) ? exact : undefined;
}

/**
 * Is it written so that a double loses nothing of it? Of such numbers the doubles have the order, and the fractions, of what is written.
 * Most are; the others are compared digit by digit.
 */
function isKept(lexeme: string): boolean {
  return lexeme.length <= MAX_KEPT_LENGTH && KEPT.test(lexeme);
}

/** The number as 0.digits × 10^exponent, its digits without zeros at either end. */
function partsOf(lexeme: string): Parts | undefined {
  if (isTooLong(lexeme)) return undefined;
  // What a double makes of a number that is too large for it.
  if (lexeme.endsWith('Infinity')) {
    return { sign: lexeme === 'Infinity' ? 1 : -1, digits: '1', exponent: Number.POSITIVE_INFINITY };
  }
  const isNegative = lexeme.startsWith('-');
  const [mantissa, power = '0'] = lexeme.slice(isNegative ? 1 : 0).split(/[eE]/);
  const [whole, fraction = ''] = String(mantissa).split('.');
  const digits = `${whole}${fraction}`;
  const significant = digits.replace(/^0+/, '');
  if (significant === '') return { sign: 0, digits: '', exponent: 0 };
  // A double holds a power of fifteen digits with the few that the fraction adds to it.
  if (power.replace(/^[+-]?0*/, '').length > 15) return undefined;
  return {
    sign: isNegative ? -1 : 1,
    digits: significant.replace(/0+$/, ''),
    exponent: Number(power) + String(whole).length - (digits.length - significant.length),
  };
}
