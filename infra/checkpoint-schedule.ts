import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import type { SallyportFunction } from './function.ts';
import type { Settings } from './settings.ts';

/** What the issuer knows its schedule by (functions/aws/checkpoint-event). */
const EVENT = { checkpoint: 'scheduled' };

/** Lets the issuer seal the audit log again and again. A run that fails is not repeated: the next one does its work. */
export function scheduleCheckpoints(
  scope: Construct,
  { audit }: Pick<Settings, 'audit'>,
  issuer: SallyportFunction,
): void {
  new Rule(scope, 'CheckpointSchedule', {
    description: 'Sallyport: seals the audit log',
    schedule: Schedule.rate(Duration.minutes(audit.checkpointMinutes)),
    targets: [
      new LambdaFunction(issuer, {
        event: RuleTargetInput.fromObject(EVENT),
        retryAttempts: 0,
        maxEventAge: Duration.minutes(1),
      }),
    ],
  });
}
