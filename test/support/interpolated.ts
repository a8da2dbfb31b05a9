import { type Interpolated, interpolate } from '../../functions/core/configuration/interpolate.ts';

/** A text of a test with its variables resolved, which is YAML. */
export function interpolated(...given: Parameters<typeof interpolate>): Interpolated {
  const result = interpolate(...given);
  if (!result.ok) throw new Error(`the test's own text, line ${result.error.line}: ${result.error.message}`);
  return result.value;
}
