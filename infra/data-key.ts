import { RemovalPolicy } from 'aws-cdk-lib';
import { AccountRootPrincipal, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { SallyportFunction } from './function.ts';
import { KEY_ADMINISTRATION } from './key-administration.ts';

/** What a data key is bound to; without one of these nobody gets one, and none is given out again. */
const CONTEXT = ['org', 'subject', 'provider'];

/**
 * A symmetric key that wraps data keys. It never leaves KMS, is rotated by KMS every year (what it has wrapped it still unwraps), and is
 * used by functions alone: administrators of the account may look after it, and can read nothing with it.
 */
export class DataKey extends Construct {
  readonly #key: Key;

  constructor(scope: Construct, id: string, props: { readonly description: string }) {
    super(scope, id);
    this.#key = new Key(this, 'Key', {
      description: props.description,
      keySpec: KeySpec.SYMMETRIC_DEFAULT,
      keyUsage: KeyUsage.ENCRYPT_DECRYPT,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
      policy: new PolicyDocument({
        statements: [
          new PolicyStatement({
            sid: 'Administration',
            principals: [new AccountRootPrincipal()],
            actions: [...KEY_ADMINISTRATION, 'kms:EnableKeyRotation', 'kms:DisableKeyRotation'],
            resources: ['*'],
          }),
        ],
      }),
    });
  }

  get arn(): string {
    return this.#key.keyArn;
  }

  /** The right to use it, for the role's own policy; it takes effect together with `allowUseBy`. */
  useRight(): PolicyStatement {
    return new PolicyStatement({
      actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
      resources: [this.#key.keyArn],
    });
  }

  /** Lets a function's role have data keys made and unwrapped, for a whole context alone. */
  allowUseBy(user: SallyportFunction): void {
    this.#key.addToResourcePolicy(
      new PolicyStatement({
        principals: [user.grantPrincipal],
        actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
        resources: ['*'],
        conditions: {
          'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': CONTEXT },
          Null: Object.fromEntries(CONTEXT.map((name) => [`kms:EncryptionContext:${name}`, 'false'])),
        },
      }),
    );
  }
}
