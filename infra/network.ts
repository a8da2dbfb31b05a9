import { Stack, Validations } from 'aws-cdk-lib';
import { CfnSecurityGroup, CfnVPCEndpoint } from 'aws-cdk-lib/aws-ec2';
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { SallyportFunction } from './function.ts';
import type { NetworkSettings, PlacedFunction } from './network-settings.ts';

/** What Lambda does with the role of a function to give it its network interfaces (Lambda developer guide, "VPC"). */
const INTERFACE_ACTIONS = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/** What of AWS each function calls besides DynamoDB. */
const SERVICES_OF: Readonly<Record<PlacedFunction, readonly string[]>> = {
  gateway: ['secretsmanager', 'kms'],
  issuer: ['secretsmanager', 'kms'],
  control: ['secretsmanager', 'kms'],
  contextStore: ['secretsmanager', 'sts'],
  authorizer: [],
};

/**
 * Puts the chosen functions into the deployer's VPC: what they call, they call from its subnets, through its routes and under its
 * security groups. With `vpcEndpointRouteTables` the endpoints are made by which they reach AWS where no route leads to the Internet.
 */
export function placeInNetwork(
  scope: Construct,
  settings: NetworkSettings,
  functions: Readonly<Record<PlacedFunction, SallyportFunction>>,
): void {
  const ownGroup = settings.securityGroupIds.length === 0 ? createGroup(scope, settings.vpcId) : undefined;
  const securityGroupIds = ownGroup === undefined ? [...settings.securityGroupIds] : [ownGroup.attrGroupId];
  for (const name of settings.functions) {
    place(functions[name], { subnetIds: [...settings.subnetIds], securityGroupIds });
  }
  if (settings.endpointRouteTableIds !== undefined) createEndpoints(scope, settings, securityGroupIds);
}

function place(
  placed: SallyportFunction,
  vpcConfig: { readonly subnetIds: string[]; readonly securityGroupIds: string[] },
): void {
  const resource = placed.node.defaultChild;
  if (!(resource instanceof CfnFunction)) throw new Error('a function has no resource of its own');
  resource.vpcConfig = vpcConfig;
  const { partition, region, account } = Stack.of(placed);
  placed.addToRolePolicy(new PolicyStatement({ actions: INTERFACE_ACTIONS, resources: ['*'] }));
  // Lambda uses these rights in the name of the role; the code that runs in the function has no use for them.
  placed.addToRolePolicy(
    new PolicyStatement({
      effect: Effect.DENY,
      actions: INTERFACE_ACTIONS,
      resources: ['*'],
      conditions: {
        ArnLike: { 'lambda:SourceFunctionArn': `arn:${partition}:lambda:${region}:${account}:function:*` },
      },
    }),
  );
  Validations.of(placed.executionRole).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason:
      'Lambda describes and makes network interfaces on all resources; code in the function is denied it.',
  });
}

/** Nothing comes in, and what goes out is HTTPS. */
function createGroup(scope: Construct, vpcId: string): CfnSecurityGroup {
  return new CfnSecurityGroup(scope, 'OutboundGroup', {
    groupDescription: 'Sallyport: HTTPS to upstreams and to the endpoints of AWS',
    vpcId,
    securityGroupEgress: [
      { ipProtocol: 'tcp', fromPort: 443, toPort: 443, cidrIp: '0.0.0.0/0', description: 'HTTPS' },
      { ipProtocol: 'tcp', fromPort: 443, toPort: 443, cidrIpv6: '::/0', description: 'HTTPS over IPv6' },
    ],
  });
}

/** The endpoints take credentials of this account alone: with those of another one, nothing leaves by them. */
function createEndpoints(scope: Construct, settings: NetworkSettings, callers: readonly string[]): void {
  const { region, account } = Stack.of(scope);
  const { vpcId, subnetIds, endpointRouteTableIds } = settings;
  const group = new CfnSecurityGroup(scope, 'EndpointGroup', {
    groupDescription: 'Sallyport: HTTPS from its functions to AWS',
    vpcId,
    securityGroupIngress: callers.map((sourceSecurityGroupId) => ({
      ipProtocol: 'tcp',
      fromPort: 443,
      toPort: 443,
      sourceSecurityGroupId,
      description: 'HTTPS from functions',
    })),
  });
  const policyDocument = new PolicyDocument({
    statements: [
      new PolicyStatement({
        principals: [new AnyPrincipal()],
        actions: ['*'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:PrincipalAccount': account } },
      }),
    ],
  });
  const services = new Set(settings.functions.flatMap((name) => SERVICES_OF[name]));
  for (const service of [...services].sort()) {
    new CfnVPCEndpoint(scope, `Endpoint-${service}`, {
      vpcEndpointType: 'Interface',
      serviceName: `com.amazonaws.${region}.${service}`,
      vpcId,
      subnetIds: [...subnetIds],
      securityGroupIds: [group.attrGroupId],
      privateDnsEnabled: true,
      policyDocument,
    });
  }
  new CfnVPCEndpoint(scope, 'Endpoint-dynamodb', {
    vpcEndpointType: 'Gateway',
    serviceName: `com.amazonaws.${region}.dynamodb`,
    vpcId,
    routeTableIds: [...(endpointRouteTableIds ?? [])],
    policyDocument,
  });
}
