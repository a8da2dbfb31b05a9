import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Api } from './api.ts';
import { createAuthorizer } from './authorizer.ts';
import { createContextStore } from './context-store.ts';
import { createControl } from './control.ts';
import { createEdgeSecret } from './edge-secret.ts';
import { createGateway } from './gateway.ts';
import { createIssuer } from './issuer.ts';
import { placeInNetwork } from './network.ts';
import { readSettings } from './settings.ts';
import { Storage } from './storage.ts';

/** The whole deployment: storage, five functions over it, and the API before them. */
export class SallyportStack extends Stack {
  constructor(scope: Construct, id: string, props: StackProps = {}) {
    const settings = readSettings((key) => scope.node.tryGetContext(key));
    super(scope, id, {
      description: 'Sallyport: the guarded gate for AI agents',
      ...(settings.stage !== 'prod' && { stackName: `${id}-${settings.stage}` }),
      ...props,
    });
    const storage = new Storage(this, 'Storage', settings);
    const edge = createEdgeSecret(this, settings);
    const authorizer = createAuthorizer(this, settings, storage);
    const functions = {
      issuer: createIssuer(this, settings, storage, edge),
      gateway: createGateway(this, settings, storage),
      contextStore: createContextStore(this, settings, storage),
      control: createControl(this, settings, storage),
    };
    if (settings.network !== undefined) {
      placeInNetwork(this, settings.network, { authorizer, ...functions });
    }
    const { front, rest } = new Api(this, 'Api', { settings, edge, authorizer, functions });
    const outputs = {
      Origin: front.origin,
      ApiUrl: rest.url,
      JwksUrl: `${front.origin}/.well-known/jwks.json`,
      TokenEndpoint: `${front.origin}/oauth/token`,
      McpUrlPattern: `${front.origin}/{server}/mcp`,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }
}
