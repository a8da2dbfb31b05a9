/** A number without rounding: `digits` times ten to the power of `exponent`. */
export type Exact = { readonly digits: bigint; readonly exponent: number };

/** Reads a number as JSON and YAML write it: `-12.50e3`. */
export function readExact(lexeme: string): Exact {
  const [mantissa = '', power = '0'] = lexeme.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length };
}

/** Below zero where `a` is the smaller, zero where both are the same number, above zero where `a` is the greater. */
export function compareExact(a: Exact, b: Exact): number {
  const exponent = Math.min(a.exponent, b.exponent);
  const left = a.digits * 10n ** BigInt(a.exponent - exponent);
  const right = b.digits * 10n ** BigInt(b.exponent - exponent);
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** Is it a whole number? `1.0` and `10e-1` are. */
export function isWhole({ digits, exponent }: Exact): boolean {
  return exponent >= 0 || digits % 10n ** BigInt(-exponent) === 0n;
}
