import { App, Validations } from 'aws-cdk-lib';
import { ASSET_RESOURCE_METADATA_ENABLED_CONTEXT } from 'aws-cdk-lib/cx-api';
import { AwsSolutionsChecks } from 'cdk-nag';
import cdkJson from '../cdk.json' with { type: 'json' };
import { SallyportStack } from './stack.ts';

/**
 * The CDK app: one stack, and the AWS Solutions checks that stop its synthesis. `cdk` passes the context of `cdk.json`
 * itself; run as plain `node infra/app.ts` the template must come out the same.
 */
export function createApp(context: Readonly<Record<string, unknown>> = {}): App {
  const app = new App({
    context: { [ASSET_RESOURCE_METADATA_ENABLED_CONTEXT]: true, ...cdkJson.context, ...context },
  });
  new SallyportStack(app, 'Sallyport');
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return app;
}

if (import.meta.main) createApp().synth();
