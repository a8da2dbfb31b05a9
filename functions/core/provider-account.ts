import type { ProviderAccount } from './connection.ts';
import { isJsonArray, type Json, JsonNumber, member, stringMember } from './json.ts';
import type { AccountLookup } from './provider.ts';

const MAX_ID_CHARACTERS = 256;
const MAX_SITES = 100;
/** The cloud id of an Atlassian site; it travels in a header and in paths. */
const CLOUD_ID = /^[A-Za-z0-9-]{1,64}$/;

/** The account in an answer about who a token is for; undefined where no id is there. */
export function readAccount(lookup: AccountLookup, body: Json): ProviderAccount | undefined {
  const id = firstOf(body, lookup.id);
  return id === undefined ? undefined : { id, name: firstOf(body, lookup.name) };
}

/** The cloud ids of the sites that a token opens, in the order of the answer. */
export function readCloudIds(body: Json): readonly string[] {
  const sites = isJsonArray(body) ? body.slice(0, MAX_SITES) : [];
  const ids = sites.map((site) => stringMember(site, 'id')).filter((id) => id !== undefined);
  return [...new Set(ids.filter((id) => CLOUD_ID.test(id)))];
}

/** A text, or a number as it was written: GitHub numbers its users. */
function firstOf(body: Json, paths: AccountLookup['id']): string | undefined {
  for (const path of paths) {
    const value = path.reduce<Json | undefined>(member, body);
    const text = value instanceof JsonNumber ? value.lexeme : value;
    if (typeof text === 'string' && text !== '' && text.length <= MAX_ID_CHARACTERS) return text;
  }
  return undefined;
}
