import { describe, expect, test } from 'vitest';
import { readNetwork } from '../../infra/network-settings.ts';
import { render, resources, synthesize } from './synthesized.ts';

const VPC = { vpcId: 'vpc-0a1b2c3d', subnetIds: 'subnet-0a000001, subnet-0b000002' };

/** The functions of a template, by the beginnings of their logical ids. */
function functionsOf(template: ReturnType<typeof synthesize>) {
  return new Map(
    resources(template, 'AWS::Lambda::Function').map(({ id, properties }) => [id.slice(0, -8), properties]),
  );
}

/** What a role's policies say of network interfaces: effect, actions and condition. */
function interfaceRights(template: ReturnType<typeof synthesize>, role: string) {
  return resources(template, 'AWS::IAM::Policy')
    .filter(({ id }) => id.startsWith(role))
    .flatMap(({ properties }) => properties.PolicyDocument.Statement)
    .filter(({ Action }) => String(Action).includes('ec2:'))
    .map(({ Effect, Action, Condition, Resource }) => ({ Effect, Action, Condition, Resource }));
}

describe('without a VPC', () => {
  const template = synthesize();

  test('no function is in one, and nothing of a network is made', () => {
    for (const properties of functionsOf(template).values())
      expect(properties).not.toHaveProperty('VpcConfig');
    for (const type of ['AWS::EC2::SecurityGroup', 'AWS::EC2::VPCEndpoint']) {
      expect(resources(template, type)).toEqual([]);
    }
    expect(interfaceRights(template, 'GatewayRole')).toEqual([]);
  });
});

describe('in a VPC', () => {
  const template = synthesize(VPC);
  const functions = functionsOf(template);

  test('is the gateway, in the subnets that are named, and nobody else', () => {
    expect(functions.get('Gateway').VpcConfig).toEqual({
      SubnetIds: ['subnet-0a000001', 'subnet-0b000002'],
      SecurityGroupIds: [{ 'Fn::GetAtt': ['OutboundGroup', 'GroupId'] }],
    });
    for (const name of ['Authorizer', 'Issuer', 'Control', 'ContextStore']) {
      expect(functions.get(name)).not.toHaveProperty('VpcConfig');
      expect(interfaceRights(template, `${name}Role`)).toEqual([]);
    }
  });

  test('nothing comes in, and what goes out is HTTPS', () => {
    const [group, ...more] = resources(template, 'AWS::EC2::SecurityGroup');
    expect(more).toEqual([]);
    expect(group?.properties).not.toHaveProperty('SecurityGroupIngress');
    expect(group?.properties.VpcId).toBe('vpc-0a1b2c3d');
    for (const { IpProtocol, FromPort, ToPort } of group?.properties.SecurityGroupEgress ?? []) {
      expect([IpProtocol, FromPort, ToPort]).toEqual(['tcp', 443, 443]);
    }
    expect(group?.properties.SecurityGroupEgress).toHaveLength(2);
  });

  test('Lambda may make interfaces in the name of the role, and the code in the function may not', () => {
    const [allowed, denied, ...more] = interfaceRights(template, 'GatewayRole');
    expect(more).toEqual([]);
    expect(allowed).toMatchObject({ Effect: 'Allow', Resource: '*' });
    expect(allowed?.Condition).toBeUndefined();
    expect(denied).toMatchObject({ Effect: 'Deny', Action: allowed?.Action, Resource: '*' });
    expect(render(denied?.Condition.ArnLike['lambda:SourceFunctionArn'])).toBe(
      'arn:{AWS::Partition}:lambda:{AWS::Region}:{AWS::AccountId}:function:*',
    );
  });

  test('no endpoint is made unless it is asked for', () => {
    expect(resources(template, 'AWS::EC2::VPCEndpoint')).toEqual([]);
  });
});

describe('in a VPC with groups of its own', () => {
  test('the functions that are named have those groups, and none is made', () => {
    const template = synthesize({
      ...VPC,
      securityGroupIds: 'sg-01000001,sg-02000002',
      vpcFunctions: 'gateway,issuer,control,contextStore,authorizer',
    });
    for (const properties of functionsOf(template).values()) {
      expect(properties.VpcConfig.SecurityGroupIds).toEqual(['sg-01000001', 'sg-02000002']);
    }
    expect(resources(template, 'AWS::EC2::SecurityGroup')).toEqual([]);
  });
});

describe('in a VPC from which nothing leads to the Internet', () => {
  const endpointsOf = (context: Readonly<Record<string, unknown>>) =>
    resources(
      synthesize({ ...VPC, vpcEndpointRouteTables: 'rtb-01000001,rtb-02000002', ...context }),
      'AWS::EC2::VPCEndpoint',
    );
  const nameOf = ({ properties }: ReturnType<typeof endpointsOf>[number]) => render(properties.ServiceName);

  test.for([
    ['gateway', ['dynamodb', 'kms', 'secretsmanager']],
    ['gateway,contextStore', ['dynamodb', 'kms', 'secretsmanager', 'sts']],
    ['authorizer', ['dynamodb']],
  ] as const)('%s: there are endpoints for all of AWS that is called', ([vpcFunctions, services]) => {
    expect(endpointsOf({ vpcFunctions }).map(nameOf).sort()).toEqual(
      services.map((service) => `com.amazonaws.{AWS::Region}.${service}`),
    );
  });

  test('DynamoDB is reached by the route tables, the others by interfaces that the functions alone reach', () => {
    const template = synthesize({ ...VPC, vpcEndpointRouteTables: 'rtb-01000001,rtb-02000002' });
    const group = resources(template, 'AWS::EC2::SecurityGroup').find(({ id }) => id.startsWith('Endpoint'));
    expect(group?.properties.SecurityGroupIngress).toEqual([
      expect.objectContaining({
        FromPort: 443,
        ToPort: 443,
        SourceSecurityGroupId: { 'Fn::GetAtt': ['OutboundGroup', 'GroupId'] },
      }),
    ]);
    for (const { properties } of resources(template, 'AWS::EC2::VPCEndpoint')) {
      const expected =
        properties.VpcEndpointType === 'Gateway'
          ? { RouteTableIds: ['rtb-01000001', 'rtb-02000002'] }
          : {
              SubnetIds: ['subnet-0a000001', 'subnet-0b000002'],
              SecurityGroupIds: [{ 'Fn::GetAtt': [group?.id, 'GroupId'] }],
              PrivateDnsEnabled: true,
            };
      expect(properties).toMatchObject({ VpcId: 'vpc-0a1b2c3d', ...expected });
    }
  });

  test('nothing is made that leads there: no NAT, no gateway, no route, no address', () => {
    const { Resources } = synthesize({
      ...VPC,
      vpcEndpointRouteTables: 'rtb-01000001',
      vpcFunctions: 'gateway,issuer,control,contextStore,authorizer',
    }).toJSON();
    const types = Object.values<{ readonly Type: string }>(Resources).map(({ Type }) => Type);
    expect(new Set(types.filter((type) => type.startsWith('AWS::EC2::')))).toEqual(
      new Set(['AWS::EC2::SecurityGroup', 'AWS::EC2::VPCEndpoint']),
    );
  });

  test('they take no credentials of another account', () => {
    for (const { properties } of endpointsOf({})) {
      expect(properties.PolicyDocument.Statement).toEqual([
        {
          Effect: 'Allow',
          Principal: { AWS: '*' },
          Action: '*',
          Resource: '*',
          Condition: { StringEquals: { 'aws:PrincipalAccount': { Ref: 'AWS::AccountId' } } },
        },
      ]);
    }
  });
});

describe('the settings of a VPC', () => {
  const read = (context: Readonly<Record<string, string>>) => readNetwork((key) => context[key]);

  test('are none without its id', () => {
    expect(read({})).toBeUndefined();
  });

  test('have the gateway in it, a group of the stack’s and no endpoints where nothing else is said', () => {
    expect(read(VPC)).toEqual({
      vpcId: 'vpc-0a1b2c3d',
      subnetIds: ['subnet-0a000001', 'subnet-0b000002'],
      securityGroupIds: [],
      functions: ['gateway'],
      endpointRouteTableIds: undefined,
    });
  });

  test.for<readonly [Readonly<Record<string, string>>, RegExp]>([
    [{ subnetIds: 'subnet-0a000001' }, /`subnetIds` needs `vpcId`/],
    [{ securityGroupIds: 'sg-01000001' }, /`securityGroupIds` needs `vpcId`/],
    [{ vpcFunctions: 'gateway' }, /`vpcFunctions` needs `vpcId`/],
    [{ vpcEndpointRouteTables: 'rtb-01000001' }, /`vpcEndpointRouteTables` needs `vpcId`/],
    [{ vpcId: 'vpc-0a1b2c3d' }, /`vpcId` needs `subnetIds`/],
    [{ ...VPC, vpcId: 'my-vpc' }, /`my-vpc` is not the id of a VPC/],
    [{ ...VPC, subnetIds: 'subnet-0a000001, private' }, /`subnetIds`: `private` is no id/],
    [{ ...VPC, securityGroupIds: 'default' }, /`securityGroupIds`: `default` is no id/],
    [{ ...VPC, vpcEndpointRouteTables: 'main' }, /`vpcEndpointRouteTables`: `main` is no id/],
    [{ ...VPC, vpcFunctions: 'gateway, portal' }, /`vpcFunctions`: `portal` is none of gateway, issuer/],
  ])('%j stop the synthesis and are named', ([context, message]) => {
    expect(() => read(context)).toThrow(message);
  });
});
