import { Duration, Lazy, Validations } from 'aws-cdk-lib';
import {
  AuthorizationType,
  CfnAuthorizer,
  EndpointType,
  LambdaIntegration,
  type Method,
  RequestAuthorizer,
  ResponseTransferMode,
  RestApi,
} from 'aws-cdk-lib/aws-apigateway';
import { Construct } from 'constructs';
import { createAccessLog } from './access-log.ts';
import type { EdgeSecret } from './edge-secret.ts';
import { Front } from './front.ts';
import type { SallyportFunction } from './function.ts';
import { gatewayResponses } from './gateway-responses.ts';
import { preflight } from './preflight.ts';
import { ROUTES, type Route, type RouteTarget } from './routes.ts';
import type { Settings } from './settings.ts';

/** What the API needs to stand: who decides, and who answers. */
export type ApiProps = {
  readonly settings: Settings;
  /** Undefined where there is no CloudFront. */
  readonly edge: EdgeSecret | undefined;
  readonly authorizer: SallyportFunction;
  readonly functions: Readonly<Record<RouteTarget, SallyportFunction>>;
};

/** The REST API with its front: the route table, the authorizer, and the answers that API Gateway gives by itself. */
export class Api extends Construct {
  readonly rest: RestApi;
  readonly front: Front;

  constructor(scope: Construct, id: string, props: ApiProps) {
    super(scope, id);
    const { settings } = props;
    const accessLog = createAccessLog(this);
    this.rest = new RestApi(this, 'Rest', {
      restApiName: `sallyport-${settings.stage}`,
      endpointTypes: [EndpointType.REGIONAL],
      binaryMediaTypes: ['*/*'],
      // Access logs of a REST API need the account's CloudWatch role, and nothing else here sets it.
      cloudWatchRole: true,
      deployOptions: {
        stageName: settings.stage,
        variables: { origin: Lazy.string({ produce: () => this.front.origin }) },
        accessLogDestination: accessLog.destination,
        accessLogFormat: accessLog.format,
        // A ceiling for each route and method by itself, far below the account's; limits per caller are the gateway's.
        throttlingRateLimit: 500,
        throttlingBurstLimit: 1000,
      },
    });
    // The stack names its outputs itself.
    this.rest.node.tryRemoveChild('Endpoint');
    this.front = new Front(this, 'Front', { settings, edge: props.edge, rest: this.rest });

    const browserOrigin = settings.allowedOrigins.length === 1 ? settings.allowedOrigins[0] : undefined;
    for (const response of gatewayResponses(browserOrigin)) {
      this.rest.addGatewayResponse(response.type.responseType, response);
    }
    this.#addRoutes(props, browserOrigin);
    this.#acknowledge();
  }

  #addRoutes(props: ApiProps, browserOrigin: string | undefined): void {
    const authorizer = new RequestAuthorizer(this, 'TokenAuthorizer', {
      handler: props.authorizer,
      // Every request is decided: two headers can carry the token, and a revocation holds within 5 s.
      identitySources: [],
      resultsCacheTtl: Duration.seconds(0),
    });
    // CDK writes an empty list as ''; the API documents an absent one.
    const resource = authorizer.node.defaultChild;
    if (resource instanceof CfnAuthorizer) resource.addPropertyDeletionOverride('IdentitySource');
    const integrations: Readonly<Record<RouteTarget, LambdaIntegration>> = {
      issuer: toIntegration(props.functions.issuer),
      gateway: toIntegration(props.functions.gateway),
      contextStore: toIntegration(props.functions.contextStore),
      control: toIntegration(props.functions.control),
    };
    const { integration: mock, options: mockOptions } = preflight(browserOrigin);
    for (const route of ROUTES) {
      const resource = this.rest.root.resourceForPath(route.path);
      for (const method of route.methods) {
        const added = resource.addMethod(
          method,
          integrations[route.target],
          route.access === 'public'
            ? { authorizationType: AuthorizationType.NONE }
            : { authorizationType: AuthorizationType.CUSTOM, authorizer },
        );
        if (route.access === 'public') acknowledgePublic(added, publicReason(route));
      }
      acknowledgePublic(
        resource.addMethod('OPTIONS', mock, mockOptions),
        'A preflight request carries no token.',
      );
    }
  }

  #acknowledge(): void {
    Validations.of(this.rest).acknowledge(
      { id: 'AwsSolutions-APIG2', reason: 'The functions parse every request strictly themselves.' },
      { id: 'AwsSolutions-APIG3', reason: 'A web ACL is a cost that the deployer chooses.' },
      {
        id: 'AwsSolutions-APIG6',
        reason: 'Execution logs quote headers and bodies; the access log has each request.',
      },
      { id: 'AwsSolutions-COG4', reason: 'Tokens of several issuers are verified by our own authorizer.' },
      {
        id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]',
        reason: 'The role that API Gateway itself writes access logs with; AWS asks for this policy.',
      },
    );
  }
}

function toIntegration(target: SallyportFunction): LambdaIntegration {
  return new LambdaIntegration(target, {
    responseTransferMode:
      target.responseMode === 'streamed' ? ResponseTransferMode.STREAM : ResponseTransferMode.BUFFERED,
    timeout: Duration.seconds(target.timeoutSeconds),
    allowTestInvoke: false,
  });
}

function publicReason(route: Route): string {
  if (route.path.startsWith('/.well-known/'))
    return 'Clients read metadata and public keys before they have a token.';
  if (route.path.startsWith('/oauth/'))
    return 'Clients authenticate here with their own credentials (RFC 6749).';
  if (route.path === '/logout') return 'A browser signs out with its own session, from our own page.';
  return 'Liveness tells nothing but itself.';
}

function acknowledgePublic(method: Method, reason: string): void {
  Validations.of(method).acknowledge({ id: 'AwsSolutions-APIG4', reason });
}
