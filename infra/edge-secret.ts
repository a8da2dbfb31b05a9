import { Validations } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { Settings } from './settings.ts';

/** What CloudFront proves itself with to the issuer: the secret, and its full name. */
export type EdgeSecret = { readonly name: string; readonly secret: Secret };

/**
 * Generates it, where CloudFront is before the API; undefined with a custom domain. Another generation is another secret with another name,
 * because CloudFormation does not look again at the value of a secret that a template names as before.
 */
export function createEdgeSecret(scope: Construct, settings: Settings): EdgeSecret | undefined {
  if (settings.domain !== undefined) return undefined;
  const name = `sallyport/${settings.stage}/edge-${settings.edgeGeneration}`;
  const secret = new Secret(scope, `EdgeSecret${settings.edgeGeneration}`, {
    secretName: name,
    description: 'Sent by CloudFront with every request, so that the issuer believes it who the viewer is',
    generateSecretString: { passwordLength: 64, excludePunctuation: true },
  });
  Validations.of(secret).acknowledge({
    id: 'AwsSolutions-SMG4',
    reason: 'Changed by a deployment, which is what brings it to CloudFront.',
  });
  return { name, secret };
}
