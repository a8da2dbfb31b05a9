import { expect, test } from 'vitest';
import { render, resources, synthesize } from './synthesized.ts';

// Made before any test begins: a test has a time limit, and a busy machine takes its time.
const SYNTHESIZED = [
  ['rate(1 minute)', synthesize()],
  ['rate(5 minutes)', synthesize({ checkpointMinutes: 5 })],
] as const;

test.for(SYNTHESIZED)('the issuer seals the audit log at %s, and no run is repeated', ([rate, template]) => {
  const rules = resources(template, 'AWS::Events::Rule');
  expect(rules).toHaveLength(1);
  const [{ properties } = { properties: undefined }] = rules;
  expect(properties).toMatchObject({ ScheduleExpression: rate, State: 'ENABLED' });
  const [target] = properties.Targets;
  expect(properties.Targets).toHaveLength(1);
  expect(render(target.Arn)).toBe('{Issuer.Arn}');
  expect(JSON.parse(target.Input)).toEqual({ checkpoint: 'scheduled' });
  expect(target.RetryPolicy).toEqual({ MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 });
});
