import type { Snapshot } from '../policy.ts';
import { LIMIT_SUBJECTS, type Limit } from '../rules/limit.ts';
import { readOrganisation } from './orgs.ts';
import { readServerName } from './rules.ts';
import type { YamlReader } from './yaml-reader.ts';

/** The bounds of what a limit may say. */
const MAX_REQUESTS = 1_000_000;
const MAX_WINDOW_SECONDS = 86_400;
/** Every limit of a server is counted at each of its requests. */
const MAX_LIMITS = 200;
/** Of one server's own. */
const MAX_SERVER_LIMITS = 20;

/** What a limit may refer to. */
export type LimitReferences = {
  readonly orgs: Snapshot['orgs'];
  readonly hasScope: (name: string) => boolean;
};

/** What a limit says beside the server. */
const KEYS = ['per', 'requests', 'window', 'tools', 'org', 'scope'] as const;
type Members = ReturnType<YamlReader['members']>;

/** Reads the `Limits` of `scopes.yml`: a list. */
export function readLimits(limits: YamlReader, references: LimitReferences): readonly Limit[] {
  return itemsOf(limits, MAX_LIMITS).flatMap((item) => {
    const { server: named, ...members } = item.members('server', ...KEYS);
    const server = readServerName(named);
    if (named !== undefined && server === undefined) named.problem('name the server, or leave `server` out');
    return readLimit(item, members, server === '*' ? undefined : server, references) ?? [];
  });
}

/** Reads the `limits` of a server of `servers.yml`: the same list, of which each limit is on that server. */
export function readServerLimits(
  limits: YamlReader | undefined,
  server: string,
  references: LimitReferences,
): readonly Limit[] {
  if (limits === undefined) return [];
  return itemsOf(limits, MAX_SERVER_LIMITS).flatMap(
    (item) => readLimit(item, item.members(...KEYS), server, references) ?? [],
  );
}

function itemsOf(limits: YamlReader, max: number): readonly YamlReader[] {
  const items = limits.items();
  if (items.length > max) limits.problem(`write ${max} limits at most`);
  return items;
}

function readLimit(
  limit: YamlReader,
  members: Members,
  server: string | undefined,
  { orgs, hasScope }: LimitReferences,
): Limit | undefined {
  const subjects = members['per']?.items().map((item) => item.oneOf(...LIMIT_SUBJECTS)) ?? [];
  const requests = members['requests']?.integer(1, MAX_REQUESTS);
  const windowSeconds = members['window'] === undefined ? undefined : readWindow(members['window']);
  if (members['per'] === undefined || members['per'].isEmpty) {
    return limit.problem(`write what is counted by: \`per: [client]\`, of ${LIMIT_SUBJECTS.join(', ')}`);
  }
  if (members['requests'] === undefined || members['window'] === undefined) {
    return limit.problem('write how many in which time: `requests: 60, window: 1m`');
  }
  const scope = members['scope']?.string();
  if (scope !== undefined && !hasScope(scope)) members['scope']?.problem(`there is no scope \`${scope}\``);
  if (members['tools']?.isEmpty)
    members['tools'].problem('name a tool, or leave `tools` out for every request');
  const tools = members['tools']?.strings();
  const org = members['org'] === undefined ? undefined : readOrganisation(members['org'], orgs);
  if (requests === undefined || windowSeconds === undefined) return undefined;
  return {
    per: LIMIT_SUBJECTS.filter((subject) => subjects.includes(subject)),
    requests,
    windowSeconds,
    ...(server === undefined ? {} : { server }),
    ...(tools === undefined ? {} : { tools }),
    ...(org === undefined ? {} : { org }),
    ...(scope === undefined ? {} : { scope }),
    at: limit.at,
  };
}

function readWindow(window: YamlReader): number | undefined {
  const [, digits, unit] = /^([1-9][0-9]{0,4})(s|m|h|d)$/.exec(window.string() ?? '') ?? [];
  const seconds = Number(digits) * (unit === 'd' ? 86_400 : unit === 'h' ? 3_600 : unit === 'm' ? 60 : 1);
  if (seconds <= MAX_WINDOW_SECONDS) return seconds;
  return window.problem('write a window such as 30s, 1m or 1h, of 1 day at most');
}
