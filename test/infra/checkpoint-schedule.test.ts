import { expect, test } from 'vitest';
import { render, resources, synthesize } from './synthesized.ts';

test.for([
  [{}, 'rate(1 minute)'],
  [{ checkpointMinutes: 5 }, 'rate(5 minutes)'],
] as const)('with %j the issuer seals the audit log at %s, and no run is repeated', ([context, rate]) => {
  const rules = resources(synthesize(context), 'AWS::Events::Rule');
  expect(rules).toHaveLength(1);
  const [{ properties } = { properties: undefined }] = rules;
  expect(properties).toMatchObject({ ScheduleExpression: rate, State: 'ENABLED' });
  const [target] = properties.Targets;
  expect(properties.Targets).toHaveLength(1);
  expect(render(target.Arn)).toBe('{Issuer.Arn}');
  expect(JSON.parse(target.Input)).toEqual({ checkpoint: 'scheduled' });
  expect(target.RetryPolicy).toEqual({ MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 });
});
