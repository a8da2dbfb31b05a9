import type { IdentityProvider } from '../../functions/core/identity-provider.ts';
import { type ForeignTestKey, makeRsaKey, signForeign } from './foreign-issuer.ts';
import { type Changes, NOW_SECONDS } from './test-issuer.ts';
import { listenWeb } from './web-listener.ts';

/** What one login at a scripted provider was asked for. */
export type AskedLogin = {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  readonly codeChallenge: string;
  readonly query: URLSearchParams;
};

/** An identity provider on loopback whose every answer a test may replace. */
export type ScriptedIdp = {
  readonly entry: IdentityProvider;
  readonly issuer: string;
  readonly key: ForeignTestKey;
  /** The forms that the token endpoint was sent, and how they were authenticated. */
  readonly redeemed: { readonly form: URLSearchParams; readonly authorization: string | undefined }[];
  /** Answers of the token endpoint to come; without any, an honest one. */
  readonly answers: (() => Response | Promise<Response>)[];
  /** Claims that the honest answer changes, and its header. */
  claims: Changes;
  header: Changes;
  /** What the user endpoint answers. */
  user: unknown;
  /** Reads what a browser was sent here with. */
  read(url: string): AskedLogin;
  /** The URL to which an honest provider sends the browser back. */
  answerTo(asked: AskedLogin, changes?: Readonly<Record<string, string | undefined>>): string;
  /** An honest id token but for the changes. */
  idToken(nonce: string, changes?: Changes, header?: Changes, key?: ForeignTestKey): string;
  close(): Promise<void>;
};

/** Made once for each name in a test file: to make a key takes longer than a test. */
const KEYS = new Map<string, ForeignTestKey>();

function keyOf(name: string): ForeignTestKey {
  const key = KEYS.get(name) ?? makeRsaKey({ kid: `${name}-1` });
  KEYS.set(name, key);
  return key;
}

/** Starts one under a name. */
export async function startScriptedIdp(
  name: string,
  changes: (url: string) => Partial<IdentityProvider> = () => ({}),
): Promise<ScriptedIdp> {
  const key = keyOf(name);
  let nonce = '';
  const idp: { current?: ScriptedIdp } = {};
  const serve = async (request: Request): Promise<Response> => {
    const { current } = idp;
    if (current === undefined) throw new Error('not started');
    const { pathname } = new URL(request.url);
    if (pathname === '/keys') return Response.json({ keys: [key.published] });
    if (pathname === '/user') return Response.json(current.user);
    if (pathname !== '/token') return new Response('?', { status: 404 });
    const authorization = request.headers.get('authorization') ?? undefined;
    current.redeemed.push({ form: new URLSearchParams(await request.text()), authorization });
    const scripted = current.answers.shift();
    if (scripted !== undefined) return scripted();
    return Response.json({
      access_token: 'at-1',
      token_type: 'Bearer',
      id_token: current.idToken(nonce, current.claims, current.header),
    });
  };
  const listener = await listenWeb(serve);
  const url = `http://127.0.0.1:${listener.port}`;
  const entry: IdentityProvider = {
    name,
    displayName: `${name} login`,
    org: 'acme',
    private: true,
    clientId: `${name}-client`,
    clientSecretName: `sallyport/{stage}/env/${name}`,
    tokenAuth: 'client_secret_post',
    authUrl: `${url}/authorize`,
    tokenUrl: `${url}/token`,
    scopes: ['openid', 'email'],
    usernameClaim: 'email',
    proof: { kind: 'id_token', issuer: url, jwksUrl: `${url}/keys`, groupsClaim: 'groups' },
    acceptAccessTokens: undefined,
    ...changes(url),
  };
  idp.current = {
    entry,
    issuer: url,
    key,
    redeemed: [],
    answers: [],
    claims: {},
    header: {},
    user: { id: 583231, login: 'octocat' },
    read(asked) {
      const query = new URL(asked).searchParams;
      const read = (parameter: string) => query.get(parameter) ?? '';
      nonce = read('nonce');
      return {
        redirectUri: read('redirect_uri'),
        state: read('state'),
        nonce,
        codeChallenge: read('code_challenge'),
        query,
      };
    },
    answerTo(asked, parameters = {}) {
      const answer = new URL(asked.redirectUri);
      for (const [member, value] of Object.entries({ code: 'idp-code', state: asked.state, ...parameters })) {
        if (value !== undefined) answer.searchParams.set(member, value);
      }
      return answer.href;
    },
    idToken(asked, more = {}, header = {}, signer = key) {
      const claims = {
        iss: url,
        sub: 'u-1',
        aud: entry.clientId,
        nonce: asked,
        email: 'ada@example.com',
        groups: ['staff'],
        iat: NOW_SECONDS,
        exp: NOW_SECONDS + 300,
        ...more,
      };
      return signForeign(signer, claims, header);
    },
    close: () => listener.close(),
  };
  return idp.current;
}
