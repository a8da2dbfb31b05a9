import type { JsonObject } from './json.ts';
import { err, ok, type Result } from './result.ts';

/** What reads like the name of a member; anything else may be the secret itself, in the wrong place. */
const PLAIN_NAME = /^[A-Za-z_]{1,24}$/;

/**
 * Has a secret's value the known members and no others? In a secret, a typing error is found by nobody else. The error names what is not
 * known where it reads like a name.
 */
export function checkMembers(value: JsonObject, known: ReadonlySet<string>): Result<void, string> {
  const unknown = [...value.keys()].filter((name) => !known.has(name));
  if (unknown.length === 0) return ok(undefined);
  const named = unknown.filter((name) => PLAIN_NAME.test(name)).map((name) => `\`${name}\``);
  return err(['there is a member that is not known', ...named].join(' '));
}
