import { parseUpstreamUrl } from '../perimeter.ts';
import { isInside, type Perimeter } from '../perimeter-list.ts';
import { CONTEXT_STORE, type ServerEntry, type ServiceEntry } from '../policy.ts';
import { NAME } from '../route.ts';
import type { Limit } from '../rules/limit.ts';
import { SERVICE_METHODS } from '../service-url.ts';
import { TEAM_NAME, type TeamEntry } from '../team.ts';
import { readEgress } from './egress.ts';
import { type LimitReferences, readServerLimits } from './limits.ts';
import { type OrgsFile, readOrganisation } from './orgs.ts';
import { readPerimeter } from './perimeter.ts';
import type { ProvidersFile } from './providers.ts';
import type { ConfigurationProblem, YamlReader } from './yaml-reader.ts';

/** Every first path segment of our own, and words that mean all servers (contract §2). */
const RESERVED: ReadonlySet<string> = new Set([
  'oauth',
  'connect',
  'healthz',
  'egress',
  'context',
  CONTEXT_STORE,
  'runs',
  'servers',
  'me',
  'connections',
  'tokens',
  'admin',
  'portal',
  'login',
  'logout',
  'gateway',
  'all',
]);

/** The gateway's own headers and those that carry credentials or frame messages; none may be listed to travel. */
const NEVER_TRAVELS =
  /^(?:authorization|x-authorization|proxy-.*|cookie|host|content-.*|transfer-encoding|connection|te|trailer|upgrade|keep-alive|forwarded|x-forwarded-.*|x-delegation|x-provider-authorization|mcp-session-id|expect|accept-encoding)$/;
/** Those that only select at the gate, those that gateways tell servers who calls by, and those that make one request another. */
const NEVER_BELIEVED =
  /^(?:x-(?:user-pool-id|client-id|region)|x-(?:user|username|scopes|groups|auth-method|server-name|tool-name|org-id|real-ip)|x-internal-.*|x-validate-source-secret|x-sallyport-.*|x-(?:http-)?method(?:-override)?|x-(?:original|rewrite|upstream)-url|(?:x-)?remote-user|x-auth-request-.*|x-amzn-oidc-.*|x-ms-client-principal.*|(?:x-)?client-cert.*|true-client-ip|x-envoy-.*|http2-settings)$/;
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

/** What is read before servers are. */
type Tenancy = Pick<OrgsFile, 'orgs' | 'teams'> & { readonly providers: ProvidersFile };

/** What servers.yml has, and services.yml is read with. */
export type ServersFile = {
  readonly servers: readonly ServerEntry[];
  /** Those that stand with the servers. */
  readonly limits: readonly Limit[];
  readonly perimeter: Perimeter | undefined;
};

/** Reads `servers.yml`; organisations that it names must exist. A team that does not hides the server from all. */
export function readServers(
  file: YamlReader,
  { orgs, teams, providers, hasScope }: Tenancy & LimitReferences,
  warnings: ConfigurationProblem[],
): ServersFile {
  const limits: Limit[] = [];
  const sections = file.members('servers', 'perimeter');
  const perimeter = readPerimeter(sections.perimeter);
  const servers = (sections.servers?.entries() ?? []).flatMap(([name, value]) => {
    if (!isFreeName(name, value)) return [];
    const members = value.members(
      'url',
      'org',
      'private',
      'egress',
      'headers',
      'timeout',
      'get_stream',
      'token_ttl_max',
      'visibility',
      'limits',
    );
    const common = readCommon(name, value, members, { orgs, providers, perimeter }, warnings);
    limits.push(...readServerLimits(members.limits, name, { orgs, hasScope }));
    const visibility = readVisibility(members.visibility, common?.org, teams, warnings) ?? 'org';
    if (common === undefined) return [];
    const entry: ServerEntry = {
      ...common,
      name,
      getStream: members.get_stream?.boolean() ?? false,
      tokenTtlMaxSeconds: members.token_ttl_max?.integer(60, 900),
      visibility,
    };
    return [entry];
  });
  return { servers, limits, perimeter };
}

/** Reads `services.yml`; servers in `used_by` and organisations must exist. Services and servers share one name space. */
export function readServices(
  file: YamlReader,
  { servers, perimeter, orgs, teams, providers }: Tenancy & Omit<ServersFile, 'limits'>,
  warnings: ConfigurationProblem[],
): readonly ServiceEntry[] {
  const { services } = file.members('services');
  return (services?.entries() ?? []).flatMap(([name, value]) => {
    if (!isFreeName(name, value)) return [];
    if (servers.some((server) => server.name === name)) {
      value.problem('a server has this name; servers and services share one name space');
    }
    const members = value.members(
      'url',
      'org',
      'private',
      'egress',
      'headers',
      'timeout',
      'used_by',
      'allow',
      'visibility',
    );
    const common = readCommon(name, value, members, { orgs, providers, perimeter }, warnings);
    if (common?.egress.mode === 'passthrough') {
      members.egress?.problem(
        'what calls a service is a server, which has no token of the caller’s to pass on; write `service_account`, `user_oauth` or `none`',
      );
    }
    const usedBy = members.used_by?.strings() ?? [];
    for (const user of usedBy) {
      if (!servers.some((server) => server.name === user)) {
        members.used_by?.problem(`there is no server \`${user}\` in servers.yml`);
      }
      for (const twin of twinsOf(user, servers).filter((name) => !usedBy.includes(name))) {
        members.used_by?.problem(
          `the server \`${twin}\` has the url of \`${user}\`, so a delegation made for it opens this service too; list it as well, or give it a url of its own`,
        );
      }
    }
    const allow = (members.allow?.items() ?? []).flatMap((item) => readAllow(item) ?? []);
    const visibility = readVisibility(members.visibility, common?.org, teams, warnings);
    if (common === undefined) return [];
    return [{ ...common, name, usedBy, allow, ...(visibility === undefined ? {} : { visibility }) }];
  });
}

function readVisibility(
  reader: YamlReader | undefined,
  org: string | undefined,
  teams: readonly TeamEntry[],
  warnings: ConfigurationProblem[],
): string | undefined {
  const visibility = reader?.string();
  if (visibility === undefined) return undefined;
  const [kind, ...rest] = visibility.split(':');
  const name = rest.join(':');
  const isTeam = kind === 'team' && TEAM_NAME.test(name);
  if (visibility !== 'public' && visibility !== 'org' && !isTeam && !(kind === 'private' && name !== '')) {
    return reader?.problem('write public, org, team:NAME or private:SUBJECT');
  }
  if (isTeam && !teams.some((team) => team.name === name && (org ?? team.org) === team.org)) {
    reader?.warn(`nobody sees this: orgs.yml has no team \`${name}\` in its organisation`, warnings);
  }
  return visibility;
}

/** Other servers whose identity tokens have the same audience, which is the url (contract §7). */
function twinsOf(name: string, servers: readonly ServerEntry[]): readonly string[] {
  const url = servers.find((server) => server.name === name)?.url;
  const getsIdentity = ({ egress }: ServerEntry) => egress.mode === 'identity' || egress.mode === 'hybrid';
  return servers
    .filter((server) => server.name !== name && server.url === url && getsIdentity(server))
    .map((server) => server.name);
}

type Common = Omit<ServerEntry, 'name' | 'getStream' | 'tokenTtlMaxSeconds' | 'visibility'>;
type CommonMembers = Partial<
  Record<'url' | 'org' | 'private' | 'egress' | 'headers' | 'timeout', YamlReader>
>;

function readCommon(
  name: string,
  entry: YamlReader,
  members: CommonMembers,
  { orgs, providers, perimeter }: Omit<Tenancy, 'teams'> & Pick<ServersFile, 'perimeter'>,
  warnings: ConfigurationProblem[],
): Common | undefined {
  const isPrivate = members.private?.boolean() ?? false;
  const text = members.url?.string();
  if (text === undefined) return entry.problem('`url` is missing');
  const url = parseUpstreamUrl(text, isPrivate);
  if (!url.ok) return members.url?.problem(url.error);
  if (!isInside(perimeter, url.value)) {
    return members.url?.problem(
      `\`${url.value.hostname}\` is outside the perimeter: what is behind the gate, also an “external” server, is inside the enterprise; ` +
        'where it is, write its host into `perimeter` of servers.yml',
    );
  }
  const org = members.org === undefined ? undefined : readOrganisation(members.org, orgs);
  return {
    url: text,
    org,
    private: isPrivate,
    egress: readEgress(members.egress, { name, org, providers }, warnings),
    headers: (members.headers?.items() ?? []).flatMap((item) => readHeaderName(item) ?? []),
    timeout: readTimeout(members.timeout),
  };
}

function readTimeout(timeout: YamlReader | undefined): ServerEntry['timeout'] {
  const { connect, first_byte, silence, call } =
    timeout?.members('connect', 'first_byte', 'silence', 'call') ?? {};
  return {
    connectMs: connect?.durationMs(100, 5_000) ?? 5_000,
    firstByteMs: first_byte?.durationMs(100, 55_000) ?? 30_000,
    silenceMs: silence?.durationMs(100, 240_000) ?? 240_000,
    callMs: call?.durationMs(100, 840_000) ?? 300_000,
  };
}

function readAllow(item: YamlReader): { readonly method: string; readonly path: string } | undefined {
  const { method, path } = item.members('method', 'path');
  const written = method?.string();
  const verb = ['*', ...SERVICE_METHODS].find((one) => one === written);
  const pattern = path?.string();
  if (verb === undefined) {
    return item.problem(`write \`method: GET\`, one of ${SERVICE_METHODS.join(', ')}, or \`*\``);
  }
  if (pattern === undefined || !/^\/[^?#]*$/.test(pattern)) return item.problem('write `path: /v2/**`');
  return { method: verb, path: pattern };
}

function readHeaderName(item: YamlReader): string | undefined {
  const name = item.string()?.toLowerCase();
  if (name === undefined) return undefined;
  if (!HEADER_NAME.test(name)) return item.problem('this is no header name');
  // Behind CGI and its like, `_` and `-` are the same.
  const folded = name.replaceAll('_', '-');
  const isKept = NEVER_TRAVELS.test(folded) || NEVER_BELIEVED.test(folded);
  return isKept ? item.problem('this header never travels') : name;
}

function isFreeName(name: string, value: YamlReader): boolean {
  if (NAME.test(name) && !RESERVED.has(name)) return true;
  value.problem(
    RESERVED.has(name)
      ? `\`${name}\` is reserved; choose another name`
      : `\`${name}\` is no name: write a-z, 0-9, - and _`,
  );
  return false;
}
