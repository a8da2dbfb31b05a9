import type { Template } from '../template.ts';

/**
 * Logical id of the function that an integration or authorizer URI invokes.
 * @throws Error where the URI names no function of the template
 */
export function functionOf(template: Template, uri: string): string {
  const arn = /:lambda:path\/[\d-]+\/functions\/(.+?)\/(?:response-streaming-)?invocations$/.exec(uri)?.[1];
  const logicalId = arn === undefined ? undefined : template.logicalIdOf('AWS::Lambda::Function', arn);
  if (logicalId === undefined) throw new Error(`\`${uri}\` invokes no function of the template`);
  return logicalId;
}
