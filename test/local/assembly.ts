import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FIXTURES = join(import.meta.dirname, 'fixture');
const API = { Ref: 'Api' };
const arnOf = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });

function uri(functionId: string, mode: 'BUFFERED' | 'STREAM') {
  const [version, ending] =
    mode === 'STREAM' ? ['2021-11-15', 'response-streaming-invocations'] : ['2015-03-31', 'invocations'];
  const prefix = ['arn:', { Ref: 'AWS::Partition' }, ':apigateway:', { Ref: 'AWS::Region' }];
  const parts = [...prefix, `:lambda:path/${version}/functions/`, arnOf(functionId), `/${ending}`];
  return { 'Fn::Join': ['', parts] };
}

function lambda(name: string, timeout: number, variables: object) {
  return {
    Type: 'AWS::Lambda::Function',
    Properties: {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Fn::Sub has its own placeholders
      Code: { S3Bucket: { 'Fn::Sub': 'assets-${AWS::AccountId}' }, S3Key: `${name}.zip` },
      Environment: { Variables: variables },
      Handler: 'index.handler',
      MemorySize: 256,
      Timeout: timeout,
    },
  };
}

function resource(parent: unknown, part: string) {
  return {
    Type: 'AWS::ApiGateway::Resource',
    Properties: { ParentId: parent, PathPart: part, RestApiId: API },
  };
}

type MethodOptions = {
  readonly functionId?: string;
  readonly mode?: 'BUFFERED' | 'STREAM';
  readonly isProtected?: boolean;
  readonly timeoutMs?: number;
};

function method(resourceId: unknown, verb: string, options: MethodOptions) {
  const { functionId = 'Buffered1A2B3C4D', mode = 'BUFFERED', isProtected = false, timeoutMs } = options;
  return {
    Type: 'AWS::ApiGateway::Method',
    Properties: {
      ResourceId: resourceId,
      HttpMethod: verb,
      RestApiId: API,
      ...(isProtected
        ? { AuthorizationType: 'CUSTOM', AuthorizerId: { Ref: 'RequestAuthorizer' } }
        : { AuthorizationType: 'NONE' }),
      Integration: {
        Type: 'AWS_PROXY',
        IntegrationHttpMethod: 'POST',
        Uri: uri(functionId, mode),
        ...(mode === 'STREAM' && { ResponseTransferMode: 'STREAM' }),
        ...(timeoutMs !== undefined && { TimeoutInMillis: timeoutMs }),
      },
    },
  };
}

function gatewayResponse(type: string, status: string, headers: Record<string, string> = {}) {
  const named = Object.entries(headers).map(([name, source]) => [`gatewayresponse.header.${name}`, source]);
  return {
    Type: 'AWS::ApiGateway::GatewayResponse',
    Properties: {
      RestApiId: API,
      ResponseType: type,
      StatusCode: status,
      ResponseParameters: {
        'gatewayresponse.header.X-Request-Id': 'context.requestId',
        ...Object.fromEntries(named),
      },
      ResponseTemplates: {
        'application/problem+json':
          '{"status":STATUS,"id":"$context.requestId","type":"$context.error.responseType","message":$context.error.messageString,"error":"$context.authorizer.error"}'.replace(
            'STATUS',
            status,
          ),
      },
    },
  };
}

const streamed = { functionId: 'Streamed', mode: 'STREAM' } as const;

const RESOURCES = {
  Key: { Type: 'AWS::KMS::Key', Properties: { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' } },
  AuditTable: {
    Type: 'AWS::DynamoDB::GlobalTable',
    Properties: {
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      BillingMode: 'PAY_PER_REQUEST',
      Replicas: [{ Region: { Ref: 'AWS::Region' } }],
      TimeToLiveSpecification: { AttributeName: 'expires_at', Enabled: true },
    },
  },
  AuthTable: {
    Type: 'AWS::DynamoDB::Table',
    Properties: {
      TableName: 'auth',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    },
  },
  Sealing: {
    Type: 'AWS::SecretsManager::Secret',
    Properties: {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Fn::Sub has its own placeholders
      Name: { 'Fn::Sub': 'sallyport/${Stage}/sealing' },
      GenerateSecretString: {
        PasswordLength: 64,
        ExcludePunctuation: true,
        ExcludeUppercase: true,
        ExcludeCharacters: 'ghijklmnopqrstuvwxyz',
        RequireEachIncludedType: false,
      },
    },
  },
  Authorizer: lambda('authorizer', 5, {}),
  Buffered1A2B3C4D: lambda('buffered', 5, {
    SALLYPORT_STAGE: { Ref: 'Stage' },
    AUDIT_TABLE: { Ref: 'AuditTable' },
    KEYS: { 'Fn::Join': [',', [arnOf('Key'), { Ref: 'Key' }]] },
    PART: { 'Fn::Select': [5, { 'Fn::Split': [':', arnOf('AuditTable')] }] },
    EMPTY: '',
  }),
  Impatient: lambda('buffered', 1, {}),
  Streamed: lambda('streamed', 20, {}),
  ImpatientStream: lambda('streamed', 1, {}),
  Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: 'api', BinaryMediaTypes: ['*/*'] } },
  ApiStage: {
    Type: 'AWS::ApiGateway::Stage',
    Properties: {
      RestApiId: API,
      StageName: 'live',
      Variables: { origin: { 'Fn::GetAtt': ['Front', 'DomainName'] }, color: 'blue' },
    },
  },
  RequestAuthorizer: {
    Type: 'AWS::ApiGateway::Authorizer',
    Properties: {
      RestApiId: API,
      Type: 'REQUEST',
      AuthorizerResultTtlInSeconds: 0,
      IdentitySource: '',
      AuthorizerUri: uri('Authorizer', 'BUFFERED'),
    },
  },
  Echo: resource({ 'Fn::GetAtt': ['Api', 'RootResourceId'] }, 'echo'),
  Exact: resource({ Ref: 'Echo' }, 'exact'),
  One: resource({ Ref: 'Echo' }, '{one}'),
  Deep: resource({ Ref: 'One' }, 'deep'),
  Rest: resource({ Ref: 'One' }, '{rest+}'),
  Stream: resource({ 'Fn::GetAtt': ['Api', 'RootResourceId'] }, 'stream'),
  Slow: resource({ 'Fn::GetAtt': ['Api', 'RootResourceId'] }, 'slow'),
  Guarded: resource({ 'Fn::GetAtt': ['Api', 'RootResourceId'] }, 'guarded'),
  RootGet: method({ 'Fn::GetAtt': ['Api', 'RootResourceId'] }, 'GET', {}),
  EchoGet: method({ Ref: 'Echo' }, 'GET', {}),
  EchoPost: method({ Ref: 'Echo' }, 'POST', {}),
  ExactGet: method({ Ref: 'Exact' }, 'GET', {}),
  OneAny: method({ Ref: 'One' }, 'ANY', {}),
  DeepGet: method({ Ref: 'Deep' }, 'GET', {}),
  RestAny: method({ Ref: 'Rest' }, 'ANY', {}),
  GuardedGet: method({ Ref: 'Guarded' }, 'GET', { isProtected: true }),
  GuardedPost: method({ Ref: 'Guarded' }, 'POST', { ...streamed, isProtected: true }),
  StreamGet: method({ Ref: 'Stream' }, 'GET', streamed),
  StreamPut: method({ Ref: 'Stream' }, 'PUT', { functionId: 'Buffered1A2B3C4D', mode: 'STREAM' }),
  StreamDelete: method({ Ref: 'Stream' }, 'DELETE', { functionId: 'ImpatientStream', mode: 'STREAM' }),
  StreamPatch: method({ Ref: 'Stream' }, 'PATCH', { ...streamed, timeoutMs: 300 }),
  SlowGet: method({ Ref: 'Slow' }, 'GET', { timeoutMs: 300 }),
  SlowPost: method({ Ref: 'Slow' }, 'POST', { functionId: 'Impatient' }),
  EchoOptions: {
    Type: 'AWS::ApiGateway::Method',
    Properties: {
      ResourceId: { Ref: 'Echo' },
      HttpMethod: 'OPTIONS',
      RestApiId: API,
      AuthorizationType: 'NONE',
      Integration: {
        Type: 'MOCK',
        RequestTemplates: { 'application/json': '{ "statusCode": 204 }' },
        IntegrationResponses: [
          {
            StatusCode: '204',
            ResponseParameters: {
              'method.response.header.X-Request-Id': 'context.requestId',
              'method.response.header.Access-Control-Allow-Origin': "'https://app.example.com'",
              'method.response.header.X-Absent': 'stageVariables.none',
            },
          },
        ],
      },
    },
  },
  NoRoute: gatewayResponse('MISSING_AUTHENTICATION_TOKEN', '404'),
  Unauthorized: gatewayResponse('UNAUTHORIZED', '401', { 'WWW-Authenticate': "'Bearer'" }),
  Denied: gatewayResponse('ACCESS_DENIED', '403', {
    'WWW-Authenticate': 'context.authorizer.wwwAuthenticate',
    'X-Asked': 'method.request.header.x-ask',
  }),
  NoAuthorizer: gatewayResponse('AUTHORIZER_FAILURE', '503', { 'Retry-After': "'5'" }),
  TooLarge: gatewayResponse('REQUEST_TOO_LARGE', '413'),
  Default5xx: {
    Type: 'AWS::ApiGateway::GatewayResponse',
    Properties: {
      ResponseType: 'DEFAULT_5XX',
      ResponseParameters: { 'gatewayresponse.header.X-Request-Id': 'context.requestId' },
    },
  },
};

/** Writes a small cloud assembly: every kind of resource that the local cloud knows, over three fixture functions. */
export function writeAssembly(directory: string): void {
  mkdirSync(directory, { recursive: true });
  const write = (name: string, value: object) => writeFileSync(join(directory, name), JSON.stringify(value));
  write('manifest.json', {
    version: '55.0.0',
    artifacts: {
      'Fixture.assets': { type: 'cdk:asset-manifest', properties: { file: 'Fixture.assets.json' } },
      Fixture: { type: 'aws:cloudformation:stack', properties: { templateFile: 'Fixture.template.json' } },
      Tree: { type: 'cdk:tree', properties: { file: 'tree.json' } },
    },
  });
  const Front = { Type: 'AWS::CloudFront::Distribution', Properties: {} };
  const FrontHeaders = {
    Type: 'AWS::CloudFront::ResponseHeadersPolicy',
    Properties: {
      ResponseHeadersPolicyConfig: {
        CorsConfig: {
          AccessControlAllowOrigins: { Items: ['https://app.example.com', 'http://localhost:6274'] },
          AccessControlAllowMethods: { Items: ['GET', 'POST'] },
          AccessControlAllowHeaders: { Items: ['Authorization'] },
          AccessControlExposeHeaders: { Items: ['X-Request-Id'] },
          AccessControlMaxAgeSec: 600,
          OriginOverride: true,
        },
      },
    },
  };
  write('Fixture.template.json', {
    Parameters: { Stage: { Type: 'String', Default: 'dev' } },
    Resources: { Front, FrontHeaders, ...RESOURCES },
  });
  const names = ['authorizer', 'buffered', 'streamed'];
  const files = names.map((name) => [name, { source: { path: join('assets', name) } }]);
  write('Fixture.assets.json', { files: Object.fromEntries(files) });
  for (const name of names) {
    mkdirSync(join(directory, 'assets', name), { recursive: true });
    copyFileSync(join(FIXTURES, name, 'index.mjs'), join(directory, 'assets', name, 'index.mjs'));
  }
}
