import { isObject, type Json, type JsonObject, toArray, toObject } from '../json.ts';
import { type ContextKeys, holds, isLike } from './condition.ts';

/** What somebody asks to do. `resource` is undefined for a trust policy, which is about the role that it belongs to. */
export type AccessRequest = {
  readonly action: string;
  readonly resource: string | undefined;
  /** ARN of the role that asks; a trust policy names it. */
  readonly principal: string;
  readonly keys: ContextKeys;
};

const MEMBERS: ReadonlySet<string> = new Set([
  'Sid',
  'Effect',
  'Action',
  'Resource',
  'Principal',
  'Condition',
]);

/**
 * Do these policy documents allow it? Default deny, and a statement that denies beats every other one. What is not understood never
 * allows: an allowing statement with such a part matches nothing, a denying one everything.
 */
export function isAllowed(documents: readonly Json[], request: AccessRequest): boolean {
  const statements = documents.flatMap((document) => {
    const { Statement: statement } = toObject(document);
    return Array.isArray(statement) ? toArray(statement) : [statement ?? null];
  });
  let allowed = false;
  for (const statement of statements) {
    const matched = isObject(statement) ? matches(statement, request) : undefined;
    const effect = toObject(statement)['Effect'];
    if (effect === 'Allow') allowed ||= matched === true;
    else if (effect !== 'Deny' || matched !== false) return false;
  }
  return allowed;
}

/** Is the request one that the statement is about? Undefined where a part of it is not understood. */
function matches(statement: JsonObject, request: AccessRequest): boolean | undefined {
  if (Object.keys(statement).some((member) => !MEMBERS.has(member))) return undefined;
  const { Action: action, Resource: resource, Principal: principal, Condition: condition } = statement;
  const isTrust = request.resource === undefined;
  if (isTrust ? resource !== undefined : principal !== undefined) return undefined;
  const actions = patternsOf(action);
  const targets = isTrust ? patternsOf(toObject(principal)['AWS']) : patternsOf(resource);
  if (actions === undefined || targets === undefined) return undefined;
  if (isTrust && Object.keys(toObject(principal)).length !== 1) return undefined;
  const isAction = actions.some((one) => isLike(request.action.toLowerCase(), one.toLowerCase(), new Map()));
  const isTarget = isTrust
    ? targets.includes(request.principal)
    : targets.some((one) => isLike(request.resource ?? '', one, request.keys));
  if (!isAction || !isTarget) return false;
  return holds(condition, request.keys);
}

function patternsOf(value: Json | undefined): readonly string[] | undefined {
  const values = Array.isArray(value) ? toArray(value) : [value];
  return values.every((one) => typeof one === 'string') ? values : undefined;
}
