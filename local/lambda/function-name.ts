/** How CDK code ends the construct id of a function; it does not tell functions apart. */
const GENERIC_ENDING = /(?<=[a-z0-9])(Function|Fn|Lambda|Handler)$/;

/**
 * The name by which people call a function: `ContextStoreFunction1A2B3C4D` → `context-store`. Takes away the hash that CDK
 * appends to a logical id and a generic ending.
 */
export function toFunctionName(logicalId: string): string {
  return logicalId
    .replace(/[0-9A-F]{8}$/, '')
    .replace(GENERIC_ENDING, '')
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-')
    .toLowerCase();
}
