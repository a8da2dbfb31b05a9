import { serverOfResource } from '../../core/grant.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ClientRefusal } from '../client-authentication.ts';
import type { GrantRequest } from './grant.ts';

/**
 * The resource of a token for a login (RFC 8707 §2.2): none named, or the authorized one; `narrower` also admits one server where the login
 * was for all of them. `authorized` undefined: `ORIGIN`. Does NOT check that there is such a server.
 */
export function checkResources(
  { resources, invocation }: Pick<GrantRequest, 'resources' | 'invocation'>,
  authorized: string | undefined,
  rule: 'same' | 'narrower',
): Result<string | undefined, ClientRefusal> {
  const [resource = authorized] = resources;
  if (resources.length > 1) {
    return err({ error: 'invalid_target', description: 'ask for one `resource` at a time' });
  }
  const { origin } = invocation;
  const isSame = resource === authorized || (resource === origin && authorized === undefined);
  const isOfAll = rule === 'narrower' && (authorized ?? origin) === origin;
  if (isSame || (isOfAll && serverOfResource(resource ?? '', origin) !== undefined)) return ok(resource);
  return err({ error: 'invalid_target', description: 'the user has authorized another `resource`' });
}
