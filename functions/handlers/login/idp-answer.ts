import type { AuthorizationRefusal } from '../../core/authorization-request.ts';
import type { BrowserSession } from '../../core/browser-session.ts';
import { type IdentityProvider, subjectOf } from '../../core/identity-provider.ts';
import { type LoginTicket, loginSecrets } from '../../core/login-ticket.ts';
import { namedError } from '../../core/oauth-error.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { IssuerPorts } from '../issuer-ports.ts';
import type { BrowserProblem } from '../pages/problem-page.ts';
import { identify } from './idp-exchange.ts';
import { useOnce } from './tickets.ts';

/** A user who has just logged in. `hasMoreGroups`: the provider left groups out because there are too many. */
export type LoggedIn = { readonly user: BrowserSession; readonly hasMoreGroups: boolean };

/** Why nobody logged in: a problem that ends here, or what whoever asked is told, and `cause` for the record. */
export type AnswerFailure =
  | { readonly problem: BrowserProblem }
  | { readonly problem?: undefined; readonly refusal: AuthorizationRefusal; readonly cause: string };

/**
 * Who logged in, by the parameters of a provider's answer whose state is ours. In this order: `iss` names this provider where it is there (RFC
 * 9207 §2.4); once; no error; the code is redeemed and says who.
 */
export async function readIdpAnswer(
  ports: IssuerPorts,
  provider: IdentityProvider,
  parameters: ReadonlyMap<string, string>,
  ticket: Pick<LoginTicket, 'secret'>,
  origin: string,
): Promise<Result<LoggedIn, AnswerFailure>> {
  if (!isFrom(provider, parameters.get('iss'))) return err({ problem: 'bad_request' });
  const secrets = loginSecrets(ticket);
  const used = await useOnce(ports, { kind: 'login', idp: provider.name }, secrets.onceId, provider.org);
  if (!used.ok) return err({ problem: used.error });
  const error = parameters.get('error');
  if (error !== undefined) return err({ refusal: refusalOf(error), cause: `idp ${namedError(error)}` });
  const code = parameters.get('code');
  if (code === undefined) {
    const description = 'the identity provider sent no code';
    return err({ refusal: { error: 'server_error', description }, cause: 'no_code' });
  }
  const identified = await identify(ports, provider, code, secrets, origin);
  if (!identified.ok) {
    const { detail, isOutage } = identified.error;
    return err({ refusal: isOutage ? OUTAGE : NOT_ACCEPTED, cause: detail });
  }
  const { userId, displayName, groups, hasMoreGroups, authTimeSeconds } = identified.value;
  const user: BrowserSession = {
    orgId: provider.org,
    idp: provider.name,
    subject: subjectOf(provider, userId),
    displayName,
    groups,
    authTimeSeconds,
    createdAtSeconds: Math.floor(ports.now() / 1000),
  };
  return ok({ user, hasMoreGroups });
}

/** Of GitHub no issuer is known; there the redirect URI alone, which is each provider's own, tells whose answer this is. */
function isFrom({ proof }: IdentityProvider, issuer: string | undefined): boolean {
  return issuer === undefined || proof.kind !== 'id_token' || proof.issuer === issuer;
}

const OUTAGE: AuthorizationRefusal = {
  error: 'temporarily_unavailable',
  description: 'the identity provider did not answer as it should; try again in a moment',
};
const NOT_ACCEPTED: AuthorizationRefusal = {
  error: 'server_error',
  description: 'the answer of the identity provider was not accepted',
};

/** The words of a provider's error go to nobody: whoever made the link wrote them. */
function refusalOf(error: string): AuthorizationRefusal {
  if (error === 'temporarily_unavailable') return OUTAGE;
  if (error === 'server_error') return NOT_ACCEPTED;
  return { error: 'access_denied', description: 'the sign-in at the identity provider was not completed' };
}
