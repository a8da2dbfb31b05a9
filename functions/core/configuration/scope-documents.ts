import type { ScopeRule } from '../rules/rule.ts';
import { readServerAccess } from './rules.ts';
import { readDescription } from './scope-settings.ts';
import type { ConfigurationProblem, YamlReader } from './yaml-reader.ts';

/** One scope as newer releases of the source system store it: rules, groups and administration in one document. */
export type ScopeDocument = {
  readonly name: string;
  readonly rules: readonly ScopeRule[];
  readonly groups: readonly string[];
  readonly uiActions: readonly (readonly [action: string, targets: readonly string[]])[];
  readonly description: string | undefined;
  readonly reader: YamlReader;
};

/** Members that say nothing of who may do what. */
const BESIDE = ['custom_scopes', 'create_in_idp', 'created_at', 'updated_at'] as const;

/** Reads a list of such documents (formats §3.1, the newer form). A scope is named by `scope_name`, else by `_id`. */
export function readScopeDocuments(
  documents: YamlReader,
  warnings: ConfigurationProblem[],
): readonly ScopeDocument[] {
  return documents.items().flatMap((document) => readDocument(document, warnings) ?? []);
}

function readDocument(document: YamlReader, warnings: ConfigurationProblem[]): ScopeDocument | undefined {
  const members = document.members(
    '_id',
    'scope_name',
    'description',
    'group_mappings',
    'server_access',
    'ui_permissions',
    ...BESIDE,
  );
  const { description } = members;
  const name = (members.scope_name ?? members._id)?.string();
  if (name === undefined) return document.problem('name the scope: `scope_name: my-scope`');
  const permissions = members.ui_permissions?.entries() ?? [];
  return {
    name,
    rules: (members.server_access?.items() ?? []).flatMap((item) => readServerAccess(item, warnings) ?? []),
    groups: members.group_mappings?.strings() ?? [],
    uiActions: permissions.map(([action, targets]) => [action, targets.strings()]),
    description: description === undefined ? undefined : readDescription(description),
    reader: document,
  };
}
