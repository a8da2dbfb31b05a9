import { openClassOf } from '../client-id.ts';
import { type IdentityProvider, subjectOf } from '../identity-provider.ts';
import { isUser } from '../parties.ts';
import type { ClientEntry } from '../policy.ts';
import type { ConfigurationProblem, YamlReader } from './yaml-reader.ts';

/** A subject that `orgs.yml` names, and where. */
export type Mention = { readonly org: string; readonly subject: string; readonly value: YamlReader };

/** Reads a list of subjects: client ids, and users as `{idp}:{sub}`. */
export function readMembers(
  org: string,
  members: YamlReader | undefined,
  mentions: Mention[],
): readonly string[] {
  return (members?.items() ?? []).flatMap((value) => {
    const subject = value.string();
    if (subject === undefined) return [];
    mentions.push({ org, subject, value });
    return [subject];
  });
}

/** A subject that nobody has gets nothing, and is perhaps misspelt: a client of no such id, a user of no such provider. */
export function warnOfStrangers(
  mentions: readonly Mention[],
  known: { readonly clients: readonly ClientEntry[]; readonly idps: readonly IdentityProvider[] },
  warnings: ConfigurationProblem[],
): void {
  for (const { org, subject, value } of mentions) {
    if (openClassOf(subject) !== undefined) continue;
    if (isUser(subject)) {
      if (known.idps.some((idp) => idp.org === org && subject.startsWith(subjectOf(idp, '')))) continue;
      value.warn(`\`${org}\` has no identity provider whose user \`${subject}\` would be`, warnings);
    } else if (!known.clients.some((client) => client.id === subject && client.org === org)) {
      value.warn(`\`${org}\` has no client \`${subject}\`; a user is \`{idp}:{sub}\``, warnings);
    }
  }
}
