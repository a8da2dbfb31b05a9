import { Hono } from 'hono';
import { permissionsOf } from '../core/may.ts';
import type { ControlEnv } from './control-ports.ts';
import type { Admission } from './ingress.ts';

/** Who am I: what the gateway knows of the one who asks. */
export function createMe(): Hono<ControlEnv> {
  const app = new Hono<ControlEnv>();
  app.get('/me', (c) => c.json(describeCaller(c.get('admission'))));
  return app;
}

function describeCaller({ caller }: Admission): Readonly<Record<string, unknown>> {
  return {
    org_id: caller.orgId,
    subject: caller.subject,
    kind: caller.kind,
    client_id: caller.clientId,
    scopes: caller.scopes,
    groups: caller.groups,
    teams: caller.teams,
    public_only: caller.isPublicOnly,
    roles: caller.roles.map(({ role, team }) => (team === undefined ? { role } : { role, team })),
    permissions: permissionsOf(caller),
    audience: caller.audience,
    expires_at: caller.expiresAtSeconds,
  };
}
