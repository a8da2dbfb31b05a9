import type { Policy } from './policy.ts';

/** A scope as people read it. */
export type ScopeWords = { readonly scope: string; readonly words: readonly string[] };

const BUILT_IN: Readonly<Record<string, string>> = {
  'runs/issue': 'Open runs, and give tokens for them to other programs',
  'context/admin': 'Reach every namespace of the context store',
  'tokens/issue': 'Make narrower tokens for itself',
};

/** Is there this scope whatever the configuration says? */
export function isBuiltInScope(scope: string): boolean {
  return Object.hasOwn(BUILT_IN, scope);
}

const UI_ACTIONS: Readonly<Record<string, string>> = {
  manage_policy: 'Change who may do what',
  manage_clients: 'Register and change applications',
  manage_secrets: 'Replace secrets',
  revoke: 'Revoke tokens',
  read_audit: 'Read the audit log',
  list_service: 'See the list of servers',
};

/**
 * What a scope lets its holder do, in words for people: those that its settings have for it, else what kinds of things it grants, never
 * which servers or tools: the page that shows them is shown before anybody has logged in.
 */
export function scopeWords(policy: Policy, scope: string): ScopeWords {
  const { description } = policy.access.settingsOf(scope);
  if (description !== undefined) return { scope, words: [description] };
  const builtIn = isBuiltInScope(scope) ? BUILT_IN[scope] : undefined;
  const rules = policy.access.grantsOf(scope);
  const allows = (method: string) => rules.some((rule) => rule.everyMethod || rule.methods.has(method));
  const calls = rules.some(
    (rule) => (rule.everyMethod || rule.methods.has('tools/call')) && (rule.everyTool || rule.tools.size > 0),
  );
  const words = [
    ...(builtIn === undefined ? [] : [builtIn]),
    ...(calls ? ['Use tools'] : []),
    ...(allows('resources/read') ? ['Read resources'] : []),
    ...(allows('prompts/get') ? ['Read prompts'] : []),
    ...policy.uiActionsOf(scope).map(uiWords),
  ];
  if (words.length === 0 && rules.length > 0) words.push('See which tools, resources and prompts there are');
  return { scope, words: words.length > 0 ? [...new Set(words)] : ['Nothing today'] };
}

function uiWords(action: string): string {
  const words = Object.hasOwn(UI_ACTIONS, action) ? UI_ACTIONS[action] : undefined;
  return words ?? 'Administer servers';
}
