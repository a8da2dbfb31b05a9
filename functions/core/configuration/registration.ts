import type { Registration } from '../open-client.ts';
import { readScopeList, type ScopeNames } from './client-scopes.ts';
import type { ConfigurationProblem, YamlReader } from './yaml-reader.ts';

/** A host as a browser shows it. */
const HOST = /^(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?::[0-9]{1,5})?$/;

/**
 * Reads the section `registration` of `clients.yml`: who may be a client without an entry. Without it, or without its keys: clients with a
 * metadata document on any public host are, those that register themselves are not, and either may have every server scope.
 */
export function readRegistration(
  section: YamlReader | undefined,
  names: ScopeNames,
  warnings: ConfigurationProblem[],
): Registration {
  const members = section?.members('metadata_documents', 'dynamic', 'scopes', 'hosts', 'private') ?? {};
  const dynamic = members.dynamic?.boolean() ?? false;
  if (dynamic) {
    members.dynamic?.warn(
      'anybody can register a client here, under any name; users see it when they consent',
      warnings,
    );
  }
  const allowPrivate = members.private?.boolean() ?? false;
  if (allowPrivate) {
    members.private?.warn(
      'metadata documents are fetched from private addresses too: for one machine alone',
      warnings,
    );
  }
  if (members.hosts?.isEmpty) {
    members.hosts.problem(
      'name a host, or leave the key out for every one; `metadata_documents: false` for none',
    );
  }
  return {
    metadataDocuments: members.metadata_documents?.boolean() ?? true,
    dynamic,
    scopes: members.scopes === undefined ? names.servers : readScopeList(members.scopes, names),
    hosts: (members.hosts?.items() ?? []).flatMap((item) => readHost(item) ?? []),
    allowPrivate,
  };
}

function readHost(item: YamlReader): string | undefined {
  const host = item.string();
  if (host === undefined) return undefined;
  const url = `https://${host}/`;
  const isHost = HOST.test(host) && URL.canParse(url) && new URL(url).host === host;
  return isHost
    ? host
    : item.problem('write a host in lower case, with its port if it is not 443: `app.example.com`');
}
