import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import { Construct } from 'constructs';
import { createCustomDomain } from './custom-domain.ts';
import { createDistribution } from './distribution.ts';
import type { EdgeSecret } from './edge-secret.ts';
import type { Settings } from './settings.ts';

/** Where callers reach the API: a custom domain when one is set, otherwise CloudFront. */
export class Front extends Construct {
  /** The public origin, without a trailing slash: the one that tokens and metadata name. */
  readonly origin: string;

  constructor(
    scope: Construct,
    id: string,
    props: { readonly settings: Settings; readonly edge: EdgeSecret | undefined; readonly rest: RestApi },
  ) {
    super(scope, id);
    const { settings, edge, rest } = props;
    if (settings.domain === undefined) {
      const distribution = createDistribution(this, settings, rest.restApiId, edge);
      this.origin = `https://${distribution.distributionDomainName}`;
    } else {
      createCustomDomain(this, settings.domain, rest);
      this.origin = `https://${settings.domain.name}`;
    }
  }
}
