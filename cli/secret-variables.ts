import { isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { REFERENCE } from '../functions/core/configuration/interpolate.ts';

/** Keys whose values are secrets, at any depth below them. `token_url` and `scopes` are not. */
const SECRET_KEY =
  /secret|passw(?:or)?d|passphrase|credential|private[_-]?key|api[_-]?key|access[_-]?key|^(?:.*[_-])?token$|^authorization$/i;

/**
 * The variables that a YAML text uses in the value of a key such as `client_secret`, `token` or `api_key`, wherever the value
 * stands: on the key's line, on the next, in a block, in a list, behind an alias. Of a text that is no YAML, every variable.
 */
export function findSecretVariables(text: string): ReadonlySet<string> {
  const names: (string | undefined)[] = [];
  // A reference is no YAML inside braces, so each gets a letter that YAML reads as text, around its number.
  const masked = text.replaceAll(REFERENCE, (_source, name: string | undefined) => {
    names.push(name);
    return `\ue000${names.length - 1}\ue000`;
  });
  const document = parseDocument(masked);
  if (document.errors.length > 0) return new Set(names.filter((name) => name !== undefined));
  const found = new Set<string>();
  const seen = { secret: new Set<unknown>(), open: new Set<unknown>() };
  const visit = (node: unknown, isSecret: boolean): void => {
    const visited = isSecret ? seen.secret : seen.open;
    if (visited.has(node)) return;
    visited.add(node);
    if (isAlias(node)) visit(node.resolve(document), isSecret);
    else if (isSeq(node)) for (const item of node.items) visit(item, isSecret);
    else if (isMap(node)) {
      for (const { key, value } of node.items) {
        visit(value, isSecret || SECRET_KEY.test(isScalar(key) ? String(key.value) : ''));
      }
    } else if (isSecret && isScalar(node)) {
      for (const [, index] of String(node.value).matchAll(/\ue000(\d+)\ue000/g)) {
        const name = names[Number(index)];
        if (name !== undefined) found.add(name);
      }
    }
  };
  visit(document.contents, false);
  return found;
}
