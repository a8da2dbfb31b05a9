import { OPEN_CLIENT_GRANTS } from '../open-client.ts';
import type { ClientEntry } from '../policy.ts';
import { parseRedirectUri } from '../redirect-uri.ts';
import type { ConfigurationProblem, YamlReader } from './yaml-reader.ts';

const GRANTS = [
  'client_credentials',
  'authorization_code',
  'refresh_token',
  'token-exchange',
  'jwt-bearer',
] as const;

/**
 * Reads the grants of a client. A public one proves nothing about itself, so it acts for users alone; one without a grant gets no token,
 * which is rarely meant, unless it says so: an empty list is for a client whose tokens an IdP issues.
 */
export function readGrants(
  client: YamlReader,
  auth: ClientEntry['auth'],
  grants: YamlReader | undefined,
  warnings: ConfigurationProblem[],
): readonly string[] {
  const read = (grants?.items() ?? []).flatMap((item) => {
    const grant = item.oneOf(...GRANTS);
    if (grant === undefined) return [];
    if (auth !== 'none' || OPEN_CLIENT_GRANTS.includes(grant)) return [grant];
    return (
      item.problem(`a client with \`auth: none\` may use ${OPEN_CLIENT_GRANTS.join(' and ')} alone`) ?? []
    );
  });
  if (grants === undefined) {
    client.warn(`this client gets no token: write \`grants\`, of ${GRANTS.join(', ')}`, warnings);
  } else if (read.length > 0 && read.every((grant) => grant === 'refresh_token')) {
    grants.warn('this client gets no token: nothing gives it a first refresh token', warnings);
  }
  return read;
}

/** Reads where codes may be sent; each in the form that {@link parseRedirectUri} asks for. */
export function readRedirectUris(
  client: YamlReader,
  grants: readonly string[],
  uris: YamlReader | undefined,
  warnings: ConfigurationProblem[],
): readonly string[] {
  const usesCodes = grants.includes('authorization_code');
  if (usesCodes && (uris === undefined || uris.isEmpty)) {
    client.warn('nobody can log in through this client: it has no `redirect_uris`', warnings);
  }
  if (!usesCodes && uris?.isEmpty === false) {
    uris.warn('no code is sent there: the client has no grant `authorization_code`', warnings);
  }
  return (uris?.items() ?? []).flatMap((item) => {
    const text = item.string();
    if (text === undefined) return [];
    const uri = parseRedirectUri(text, true);
    return uri.ok ? [text] : (item.problem(uri.error) ?? []);
  });
}

/** Reads whose tokens a client may exchange (RFC 8693); the clients must be in the file. */
export function readExchangeFrom(
  grants: readonly string[],
  clients: YamlReader | undefined,
  known: ReadonlySet<string>,
  warnings: ConfigurationProblem[],
): readonly string[] {
  if (clients?.isEmpty === false && !grants.includes('token-exchange')) {
    clients.warn('nothing is exchanged: the client has no grant `token-exchange`', warnings);
  }
  return (clients?.items() ?? []).flatMap((item) => {
    const id = item.string();
    if (id === undefined || known.has(id)) return id ?? [];
    return item.problem(`there is no client \`${id}\` in clients.yml`) ?? [];
  });
}
