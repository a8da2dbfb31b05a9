import { parseUpstreamUrl } from '../perimeter.ts';
import type { Snapshot } from '../policy.ts';
import type { Provider } from '../provider.ts';
import { NAME } from '../route.ts';
import { readOrganisation } from './orgs.ts';
import { knowledgeOf, type ProviderDraft } from './provider-kinds.ts';
import { readAuthParams, readScopes, readTokenHeaders } from './provider-parameters.ts';
import { fillTemplate, readTemplateVariables, type TemplateVariables } from './provider-template.ts';
import type { YamlReader } from './yaml-reader.ts';

/** The keys of the source system's file, then our own. */
const KEYS = [
  'display_name',
  'auth_url',
  'token_url',
  'user_info_url',
  'scopes',
  'response_type',
  'grant_type',
  'audience',
  'requires_pkce',
  'additional_params',
  'requires_cloud_id',
  'cloud_id_from_user_info',
  'token_headers',
  'requires_template_vars',
  'template_var_defaults',
  'is_m2m',
  'supports_browser_flow',
  'client_id',
  'client_secret',
  'redirect_uri',
  'template_vars',
  'token_auth',
  'scope_separator',
  'revocation_url',
  'issuer',
  'org',
  'private',
] as const;

type Members = Partial<Record<(typeof KEYS)[number], YamlReader>>;

const SECRET_NAME = /^sallyport\/\{stage\}\/providers\/[A-Za-z0-9._-]+$/;
/** Where answers of `user_info_url` have the account: of OpenID Connect, of most others, of X and of Slack. */
const ACCOUNT_IDS = [['sub'], ['id'], ['account_id'], ['data', 'id'], ['user', 'id'], ['user_id']];
const ACCOUNT_NAMES = [
  ['email'],
  ['login'],
  ['userPrincipalName'],
  ['username'],
  ['data', 'username'],
  ['user', 'email'],
  ['display_name'],
  ['user', 'name'],
  ['name'],
];

/** What `providers.yml` holds: the providers where users can connect, and of every other entry why they cannot. */
export type ProvidersFile = {
  readonly providers: readonly Provider[];
  readonly off: ReadonlyMap<string, string>;
};

/**
 * Reads `providers.yml`, in the format of `oauth_providers.yaml` (formats §3.2). An entry without `client_id` is known and not switched on,
 * and one without a browser flow never is; neither is a warning. What we know of a provider stands above what its entry says, and below
 * our own keys in it.
 */
export function readProviders(file: YamlReader, orgs: Snapshot['orgs']): ProvidersFile {
  const { providers } = file.members('providers', 'metadata');
  const off = new Map<string, string>();
  const read = (providers?.entries() ?? []).flatMap(([name, entry]) => {
    if (!NAME.test(name)) {
      entry.problem(`\`${name}\` is no name: write a-z, 0-9, - and _`);
      return [];
    }
    const members = entry.members(...KEYS);
    const hasBrowserFlow =
      members.is_m2m?.boolean() !== true && members.supports_browser_flow?.boolean() !== false;
    const [clientId = ''] = members.client_id?.texts() ?? [];
    if (!hasBrowserFlow) off.set(name, 'no user can connect there: it has no browser flow');
    else if (clientId === '') off.set(name, 'it has no `client_id` there: register an app with it');
    return off.has(name) ? [] : (readProvider(name, entry, members, orgs) ?? []);
  });
  return { providers: read, off };
}

function readProvider(
  name: string,
  entry: YamlReader,
  members: Members,
  orgs: Snapshot['orgs'],
): Provider | undefined {
  members.response_type?.oneOf('code');
  members.grant_type?.oneOf('authorization_code');
  const isPrivate = members.private?.boolean() ?? false;
  const variables = readTemplateVariables(members);
  const authUrl = readUrl(members.auth_url, variables, isPrivate);
  const tokenUrl = readUrl(members.token_url, variables, isPrivate);
  if (members.auth_url === undefined || members.token_url === undefined) {
    return entry.problem('a provider has `auth_url` and `token_url`');
  }
  const clientId = members.client_id?.string();
  const clientSecretName = readSecretName(members.client_secret);
  if (clientId === undefined || authUrl === undefined || tokenUrl === undefined) return undefined;
  // The source system writes an empty text where there is none.
  const isWithout = members.user_info_url?.texts()[0] === '';
  const userInfoUrl = isWithout ? undefined : readUrl(members.user_info_url, variables, isPrivate);
  const needsSite = members.requires_cloud_id?.boolean() ?? false;
  const hasSites = (members.cloud_id_from_user_info?.boolean() ?? needsSite) && userInfoUrl !== undefined;
  const audience = members.audience?.string();
  const redirectUri = readRedirectUri(members.redirect_uri, name, isPrivate);
  const draft: ProviderDraft = {
    name,
    displayName: members.display_name?.string() ?? name,
    org: members.org === undefined ? undefined : readOrganisation(members.org, orgs),
    private: isPrivate,
    clientId,
    clientSecretName,
    tokenAuth: 'client_secret_post',
    authUrl,
    tokenUrl,
    userInfoUrl,
    ...(hasSites ? { sitesUrl: userInfoUrl } : {}),
    ...(userInfoUrl === undefined || hasSites
      ? {}
      : { account: { url: userInfoUrl, id: ACCOUNT_IDS, name: ACCOUNT_NAMES } }),
    scopes: readScopes(members.scopes),
    scopeSeparator: ' ',
    authParams: [
      ...(audience === undefined ? [] : [['audience', audience] as const]),
      ...readAuthParams(members.additional_params),
    ],
    tokenHeaders: readTokenHeaders(members.token_headers),
    ...(redirectUri === undefined ? {} : { redirectUri }),
    pkce: members.requires_pkce?.boolean() ?? true,
  };
  const { userInfoUrl: _, ...provider } = {
    ...draft,
    ...knowledgeOf(draft),
    ...readOwn(members, variables, isPrivate),
  };
  return provider;
}

/** Keys of ours, which stand above what we know of a provider. */
function readOwn(members: Members, variables: TemplateVariables, isPrivate: boolean): Partial<Provider> {
  const tokenAuth = members.token_auth?.oneOf('client_secret_post', 'client_secret_basic');
  const scopeSeparator = readSeparator(members.scope_separator);
  const revocationUrl = readUrl(members.revocation_url, variables, isPrivate);
  const issuer = readUrl(members.issuer, variables, isPrivate);
  return {
    ...(tokenAuth === undefined ? {} : { tokenAuth }),
    ...(scopeSeparator === undefined ? {} : { scopeSeparator }),
    ...(revocationUrl === undefined ? {} : { revocation: { style: 'rfc7009' as const, url: revocationUrl } }),
    ...(issuer === undefined ? {} : { issuer }),
  };
}

function readSeparator(separator: YamlReader | undefined): ' ' | ',' | undefined {
  return separator?.oneOf(' ', ',');
}

function readUrl(
  member: YamlReader | undefined,
  variables: TemplateVariables,
  isPrivate: boolean,
): string | undefined {
  const text = member?.string();
  if (text === undefined) return undefined;
  const filled = fillTemplate(text, variables);
  if (!filled.ok) return member?.problem(filled.error);
  const url = parseUpstreamUrl(filled.value, isPrivate);
  return url.ok ? filled.value : member?.problem(url.error);
}

function readSecretName(secret: YamlReader | undefined): string | undefined {
  if (secret === undefined) return undefined;
  if (secret.kind === 'map') {
    const ref = secret.members('ref').ref?.string();
    if (ref !== undefined && SECRET_NAME.test(ref)) return ref;
  }
  return secret.problem(
    'a secret never stands here: write where it is, `client_secret: { ref: sallyport/{stage}/providers/NAME }`',
  );
}

/** It must lead to the callback of this provider alone: an answer from another one could arrive there else (RFC 9700 §4.4.2.2). */
function readRedirectUri(
  member: YamlReader | undefined,
  name: string,
  isPrivate: boolean,
): string | undefined {
  const text = member?.string();
  if (text === undefined) return undefined;
  const url = parseUpstreamUrl(text, isPrivate);
  if (!url.ok) return member?.problem(url.error);
  const path = `/connect/${name}/callback`;
  return url.value.pathname === path
    ? text
    : member?.problem(`it ends in \`${path}\`, where this provider's answers are taken`);
}
