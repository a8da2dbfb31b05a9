import { planClientCredentials } from '../../core/grant.ts';
import { ok } from '../../core/result.ts';
import type { Grant } from './grant.ts';

/** `client_credentials` (RFC 6749 §4.4): a token about the client itself. */
export const grantClientCredentials: Grant = (ports, { client, policy, form, resources, invocation }) => {
  const plan = planClientCredentials(
    policy,
    client,
    { scope: form.get('scope'), resources, teams: form.get('teams') },
    invocation.origin,
    Math.floor(ports.now() / 1000),
  );
  return Promise.resolve(plan.ok ? ok({ plan: plan.value }) : plan);
};
