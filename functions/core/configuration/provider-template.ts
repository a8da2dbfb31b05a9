import { err, ok, type Result } from '../result.ts';
import type { YamlReader } from './yaml-reader.ts';

/** Values of the variables in the URLs of an entry (`{region}`), and those that have none. */
export type TemplateVariables = ReadonlyMap<string, string>;

/** One label or several of a host's name: nothing that ends a host, begins a port, or hides a user. */
const VALUE =
  /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

/** The values that an entry gives (`template_vars`), over the defaults that it names. */
export function readTemplateVariables(
  members: Partial<Record<'template_vars' | 'template_var_defaults' | 'requires_template_vars', YamlReader>>,
): TemplateVariables {
  const given = [members.template_var_defaults, members.template_vars].flatMap((map) => map?.entries() ?? []);
  const variables = new Map<string, string>();
  for (const [name, value] of given) {
    const text = value.string();
    if (text === undefined) continue;
    if (VALUE.test(text)) variables.set(name, text);
    else value.problem('a part of a host name: letters, digits, - and .');
  }
  for (const name of members.requires_template_vars?.strings() ?? []) {
    if (!variables.has(name))
      members.requires_template_vars?.problem(`write \`template_vars: { ${name}: … }\``);
  }
  return variables;
}

/** A URL with its variables filled in. */
export function fillTemplate(text: string, variables: TemplateVariables): Result<string, string> {
  const missing: string[] = [];
  const filled = text.replace(/\{([A-Za-z_]+)\}/g, (whole, name: string) => {
    const value = variables.get(name);
    if (value === undefined) missing.push(name);
    return value ?? whole;
  });
  return missing.length === 0 ? ok(filled) : err(`write \`template_vars: { ${missing.join(': …, ')}: … }\``);
}
