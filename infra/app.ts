import { readFileSync } from 'node:fs';
import { App, Validations } from 'aws-cdk-lib';
import { ASSET_RESOURCE_METADATA_ENABLED_CONTEXT } from 'aws-cdk-lib/cx-api';
import { AwsSolutionsChecks } from 'cdk-nag';
import { SallyportStack } from './stack.ts';

// `cdk` passes its context along; run as plain `node infra/app.ts` the template must come out the same.
const { context } = JSON.parse(readFileSync(new URL('../cdk.json', import.meta.url), 'utf8'));

const app = new App({ context: { ...context, [ASSET_RESOURCE_METADATA_ENABLED_CONTEXT]: true } });
new SallyportStack(app, 'Sallyport');
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
app.synth();
