import { openClassOf } from '../client-id.ts';
import type { IdentityProvider } from '../identity-provider.ts';
import { parseUpstreamUrl } from '../perimeter.ts';
import type { ClientEntry, Snapshot } from '../policy.ts';
import { NAME } from '../route.ts';
import { readAcceptedTokens } from './accepted-tokens.ts';
import { cognitoPool, kindOf } from './idp-kinds.ts';
import { DEFAULT_ORG, readOrganisation } from './orgs.ts';
import type { ConfigurationProblem, YamlReader } from './yaml-reader.ts';

/** The keys of the source system's file, then our own. */
const KEYS = [
  'display_name',
  'client_id',
  'client_secret',
  'auth_url',
  'token_url',
  'user_info_url',
  'logout_url',
  'scopes',
  'response_type',
  'grant_type',
  'username_claim',
  'groups_claim',
  'email_claim',
  'name_claim',
  'enabled',
  'issuer',
  'jwks_url',
  'org',
  'private',
  'token_auth',
  'accept_access_tokens',
  'accept_assertions',
  'login',
] as const;

type Members = Partial<Record<(typeof KEYS)[number], YamlReader>>;

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/;
const WHOLE_VARIABLE = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;
const SECRET_FOLDER = 'sallyport/{stage}/env/';
const SECRET_NAME = /^sallyport\/\{stage\}\/env\/[A-Za-z0-9._-]+$/;

/**
 * Reads `idps.yml`, in the format of `oauth2_providers.yml` (formats §3.2b). An entry that is not enabled is left out, and so is, with
 * a warning, one that lacks what is known only where it is deployed: the value of a variable, or an issuer. Variables that have no
 * value stand in the text as they were written. `session` and `registry` belong to the source system and say nothing here.
 */
export function readIdentityProviders(
  file: YamlReader,
  references: { readonly orgs: Snapshot['orgs']; readonly clients: readonly ClientEntry[] },
  warnings: ConfigurationProblem[],
): readonly IdentityProvider[] {
  const { providers } = file.members('providers', 'session', 'registry');
  return (providers?.entries() ?? []).flatMap(([name, entry]) => {
    if (!NAME.test(name)) {
      entry.problem(`\`${name}\` is no name: write a-z, 0-9, - and _`);
      return [];
    }
    // The subject of its user is `{name}:{sub}`, and would be the URL of a client.
    if (openClassOf(`${name}:`) !== undefined) {
      entry.problem(`\`${name}\` begins the ids of clients: name the provider otherwise`);
      return [];
    }
    const members = entry.members(...KEYS);
    const clientSecretName = readSecretName(members.client_secret);
    if (!readEnabled(members.enabled)) return [];
    const { client_secret, logout_url, user_info_url, ...used } = members;
    const missing = Object.values(used)
      .flatMap((member) => member.texts())
      .flatMap((text) => VARIABLE.exec(text)?.[1] ?? []);
    if (missing[0] !== undefined) {
      entry.warn(`\`${name}\` is off: the variable \`${missing[0]}\` has no value`, warnings);
      return [];
    }
    return readProvider(name, entry, { ...members, clientSecretName }, references, warnings) ?? [];
  });
}

/** A secret is a reference: a variable, whose value is the secret `env/NAME`, or the secret's own name. */
function readSecretName(secret: YamlReader | undefined): string | undefined {
  if (secret === undefined) return undefined;
  const [text = ''] = secret.texts();
  const variable = WHOLE_VARIABLE.exec(text)?.[1];
  if (variable !== undefined) return SECRET_FOLDER + variable;
  if (SECRET_NAME.test(text) && secret.members('ref').ref !== undefined) return text;
  return secret.problem(
    `a secret never stands here: write \`\${NAME}\`, whose value is the secret \`${SECRET_FOLDER}NAME\``,
  );
}

/** Newer files of the source system switch entries by variables, in quotes. */
function readEnabled(enabled: YamlReader | undefined): boolean {
  const [text] = enabled?.texts() ?? [];
  if (text === undefined) return enabled?.boolean() ?? true;
  return /^true$/i.test(text) || (!/^false$/i.test(text) && enabled?.boolean() === true);
}

function readProvider(
  name: string,
  entry: YamlReader,
  members: Members & { readonly clientSecretName: string | undefined },
  references: Parameters<typeof readIdentityProviders>[1],
  warnings: ConfigurationProblem[],
): IdentityProvider | undefined {
  members.response_type?.oneOf('code');
  members.grant_type?.oneOf('authorization_code');
  const isPrivate = members.private?.boolean() ?? false;
  const pool = cognitoPool(members.issuer?.texts()[0] ?? '');
  const readUrl = (key: 'auth_url' | 'token_url' | 'user_info_url' | 'jwks_url' | 'issuer') => {
    const text = members[key]
      ?.string()
      ?.replace(/^(https:\/\/)auto(\.auth\.)/, `$1${pool?.domain ?? 'auto'}$2`);
    if (text === undefined) return undefined;
    const url = parseUpstreamUrl(text, isPrivate);
    return url.ok ? text : members[key]?.problem(url.error);
  };
  const hasLogin = members.login?.boolean() ?? true;
  const clientId = members.client_id?.string();
  const authUrl = readUrl('auth_url');
  const tokenUrl = readUrl('token_url');
  const isWithout = (['client_id', 'auth_url', 'token_url'] as const).some(
    (key) => members[key] === undefined,
  );
  if (hasLogin && isWithout) return entry.problem('a provider has `client_id`, `auth_url` and `token_url`');
  const acceptAssertions = members.accept_assertions?.boolean();
  if (!hasLogin && members.accept_access_tokens === undefined && acceptAssertions !== true) {
    return entry.problem(
      'nobody logs in here, and nothing is taken: write `accept_access_tokens` or `accept_assertions: true`',
    );
  }
  const scopes = members.scopes?.strings() ?? ['openid'];
  const org = readOrg(entry, members.org, references.orgs);
  const common = {
    name,
    displayName: members.display_name?.string() ?? name,
    org,
    private: isPrivate,
    ...(hasLogin ? {} : { login: false as const }),
    clientId: clientId ?? '',
    clientSecretName: members.clientSecretName,
    tokenAuth: members.token_auth?.oneOf('client_secret_post', 'client_secret_basic') ?? 'client_secret_post',
    authUrl: authUrl ?? '',
    tokenUrl: tokenUrl ?? '',
    scopes,
    usernameClaim: members.username_claim?.string() ?? 'email',
    acceptAccessTokens: readAcceptedTokens(members.accept_access_tokens, org, references.clients),
    ...(acceptAssertions === undefined ? {} : { acceptAssertions }),
  } as const;
  const kind = kindOf(name, authUrl);
  const groups = members.groups_claim;
  if (kind.kind === 'github') {
    members.accept_access_tokens?.problem('access tokens of GitHub cannot be verified; leave this out');
    if (acceptAssertions === true) {
      members.accept_assertions?.problem('GitHub signs no assertions; leave this out');
    }
    const userInfoUrl = readUrl('user_info_url');
    if (userInfoUrl === undefined) return entry.problem('GitHub has no id token: write `user_info_url`');
    const groupsClaim = groups === undefined || groups.isEmpty ? undefined : groups.oneOf('id');
    return { ...common, proof: { kind: 'github', userInfoUrl, groupsClaim } };
  }
  if (hasLogin && !scopes.includes('openid'))
    return members.scopes?.problem('`openid` is missing: no id token without it');
  const issuer = readUrl('issuer') ?? kind.issuer;
  const jwksUrl = readUrl('jwks_url') ?? pool?.jwksUrl ?? kind.jwksUrl;
  if (issuer === undefined || jwksUrl === undefined) {
    const key = issuer === undefined ? 'issuer' : 'jwks_url';
    entry.warn(`\`${name}\` is off: ${kind.obstacle ?? `its \`${key}\` is not known; write it`}`, warnings);
    return undefined;
  }
  const groupsClaim = groups === undefined || groups.isEmpty ? undefined : groups.string();
  return { ...common, proof: { kind: 'id_token', issuer, jwksUrl, groupsClaim } };
}

function readOrg(entry: YamlReader, org: YamlReader | undefined, orgs: Snapshot['orgs']): string {
  if (org !== undefined) return readOrganisation(org, orgs) ?? DEFAULT_ORG;
  if (orgs.length > 1) entry.problem('say whose users these are: `org: acme`');
  return orgs[0]?.id ?? DEFAULT_ORG;
}
