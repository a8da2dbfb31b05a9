import { MAX_LIFETIME_SECONDS } from '../grant.ts';
import type { ScopeSettings } from '../rules/rule.ts';
import type { YamlReader } from './yaml-reader.ts';

/** As of a server's cap. In seconds. */
const MIN_CAP_SECONDS = 60;
const MAX_DESCRIPTION_LENGTH = 200;

/** Reads the `Scope-Settings` of `scopes.yml`, by scope; each must exist. */
export function readScopeSettings(
  settings: YamlReader,
  hasScope: (name: string) => boolean,
): readonly (readonly [string, ScopeSettings])[] {
  return settings.entries().flatMap(([name, value]) => {
    if (!hasScope(name)) return value.problem(`there is no scope \`${name}\``) ?? [];
    const { token_ttl_max, description } = value.members('token_ttl_max', 'description');
    const tokenTtlMaxSeconds = token_ttl_max?.integer(MIN_CAP_SECONDS, MAX_LIFETIME_SECONDS);
    return [
      [
        name,
        {
          ...(tokenTtlMaxSeconds === undefined ? {} : { tokenTtlMaxSeconds }),
          ...(description === undefined ? {} : { description: readDescription(description) }),
        },
      ] as const,
    ];
  });
}

/** One line of text for people, who see it on the page where they consent. */
export function readDescription(description: YamlReader): string {
  const text = description.string() ?? '';
  if (text.length > MAX_DESCRIPTION_LENGTH || /[\p{Cc}\u2028\u2029]/u.test(text)) {
    description.problem(`write one line of ${MAX_DESCRIPTION_LENGTH} characters at most`);
  }
  return text;
}
