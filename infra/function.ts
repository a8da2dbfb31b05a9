import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as LambdaFunction, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Environment } from '../functions/aws/environment.ts';
import { type BundledFiles, bundle } from './bundle.ts';

/** How a function answers through API Gateway: the whole response at once, or bytes as they come. */
export type ResponseMode = 'buffered' | 'streamed';

/** What one function is; everything else is alike for all of them. */
export type SallyportFunctionProps = {
  /** Name of the file in `functions/`. */
  readonly entry: string;
  readonly description: string;
  /** CPU grows with it: 1,769 MB is one core. */
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly responseMode: ResponseMode;
  readonly environment: Partial<Environment>;
  /** What the role may do, beyond writing its own log. */
  readonly rights: readonly PolicyStatement[];
  readonly files?: BundledFiles;
};

/**
 * One deployed function with its role and its log group. The role starts empty (no managed policy) and gets exactly
 * `rights` and the right to write that one log group.
 */
export class SallyportFunction extends LambdaFunction {
  readonly executionRole: Role;
  readonly responseMode: ResponseMode;
  readonly timeoutSeconds: number;

  constructor(scope: Construct, id: string, props: SallyportFunctionProps) {
    const logGroup = new LogGroup(scope, `${id}Log`, {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const executionRole = new Role(scope, `${id}Role`, {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `Runs the ${props.entry} function of ${Stack.of(scope).stackName}`,
    });
    super(scope, id, {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: bundle(props.entry, props.files),
      handler: 'index.handler',
      memorySize: props.memoryMb,
      timeout: Duration.seconds(props.timeoutSeconds),
      environment: definedEntries(props.environment),
      role: executionRole,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
    });
    this.executionRole = executionRole;
    this.responseMode = props.responseMode;
    this.timeoutSeconds = props.timeoutSeconds;
    this.addToRolePolicy(
      new PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [logGroup.logGroupArn],
      }),
    );
    for (const right of props.rights) this.addToRolePolicy(right);
  }
}

function definedEntries(environment: Partial<Environment>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined));
}
