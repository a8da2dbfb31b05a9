import type { Json } from '../json.ts';
import { isArray, isObject, toArray } from '../json.ts';

/**
 * Does the policy document that an authorizer returned admit the method? An explicit Deny wins; without a matching Allow it
 * does not. A statement that this cannot evaluate (Condition, NotAction, NotResource) never allows and always denies.
 */
export function admits(policyDocument: Json | undefined, methodArn: string): boolean {
  if (!isObject(policyDocument)) return false;
  const statement = policyDocument['Statement'];
  const statements = isArray(statement) ? statement : isObject(statement) ? [statement] : [];
  let isAllowed = false;
  for (const one of statements) {
    if (!isObject(one)) return false;
    const isUnderstood = Object.keys(one).every((key) => UNDERSTOOD.has(key));
    const matches =
      isUnderstood &&
      listOf(one['Action']).some((action) => matchesPattern(action, 'execute-api:Invoke')) &&
      listOf(one['Resource']).some((resource) => matchesPattern(resource, methodArn));
    if (one['Effect'] === 'Allow') isAllowed ||= matches;
    else if (matches || !isUnderstood) return false;
  }
  return isAllowed;
}

const UNDERSTOOD: ReadonlySet<string> = new Set(['Sid', 'Effect', 'Action', 'Resource']);

function listOf(value: Json | undefined): string[] {
  return (typeof value === 'string' ? [value] : toArray(value)).map(String);
}

function matchesPattern(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}
