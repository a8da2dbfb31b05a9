import { REFERENCE, unusedCharacter } from '../functions/core/configuration/interpolate.ts';
import { openYaml } from '../functions/core/configuration/yaml-document.ts';
import { keyName, toValue, type YamlNode } from '../functions/core/configuration/yaml-node.ts';

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
  const mask = unusedCharacter(text);
  const masked = text.replaceAll(REFERENCE, (_source, name: string | undefined) => {
    names.push(name);
    return `${mask}${names.length - 1}${mask}`;
  });
  let isSound = true;
  const { contents } = openYaml(masked, () => {
    isSound = false;
  });
  if (!isSound) return new Set(names.filter((name) => name !== undefined));
  const found = new Set<string>();
  const seen = { secret: new Set<YamlNode>(), open: new Set<YamlNode>() };
  const number = new RegExp(`${mask}(\\d+)(?=${mask})`, 'g');
  const take = (written: string): void => {
    for (const [, index] of written.matchAll(number)) {
      const name = names[Number(index)];
      if (name !== undefined) found.add(name);
    }
  };
  const visit = (node: YamlNode, isSecret: boolean): void => {
    const value = toValue(node);
    const visited = isSecret ? seen.secret : seen.open;
    if (visited.has(value)) return;
    visited.add(value);
    if (value.kind === 'list') for (const item of value.items) visit(item, isSecret);
    else if (value.kind === 'map') {
      for (const { key, value: member } of value.entries) {
        const name = keyName(key);
        if (isSecret) take(name);
        // A variable may make any name of a key.
        visit(member, isSecret || name.includes(mask) || SECRET_KEY.test(name));
      }
    } else if (isSecret) take(value.source);
  };
  if (contents !== undefined) visit(contents, false);
  return found;
}
