import { RemovalPolicy } from 'aws-cdk-lib';
import { AccountRootPrincipal, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { SallyportFunction } from './function.ts';
import { KEY_ADMINISTRATION } from './key-administration.ts';

/** How many keys each slot has had, the present one included: a higher number gives a slot a fresh key. */
export type KeyGenerations = Readonly<Record<'A' | 'B', number>>;

/**
 * Two RSA keys (RS256), so that one can take over from the other, whose private halves never leave KMS and with which one function alone
 * can sign. The key that a fresh one replaces stays in KMS, out of everybody's reach: its key policy goes to nobody but administrators.
 */
export class SigningKey extends Construct {
  readonly #slots: readonly { readonly name: string; readonly key: Key }[];

  constructor(
    scope: Construct,
    id: string,
    props: { readonly description: string; readonly generations: KeyGenerations },
  ) {
    super(scope, id);
    this.#slots = (['A', 'B'] as const).map((slot) => {
      const generation = props.generations[slot];
      return {
        name: `${slot}${generation}`,
        key: new Key(this, generation === 1 ? `Slot${slot}` : `Slot${slot}${generation}`, {
          description: `${props.description}, ${slot}${generation}`,
          keySpec: KeySpec.RSA_2048,
          keyUsage: KeyUsage.SIGN_VERIFY,
          removalPolicy: RemovalPolicy.RETAIN,
          policy: new PolicyDocument({
            statements: [
              new PolicyStatement({
                sid: 'Administration',
                principals: [new AccountRootPrincipal()],
                actions: [...KEY_ADMINISTRATION],
                resources: ['*'],
              }),
            ],
          }),
        }),
      };
    });
  }

  /** `A1=arn,B1=arn`: slot, generation and ARN of each key. ARNs and not aliases: an alias can move under a `kid`. */
  get arns(): string {
    return this.#slots.map(({ name, key }) => `${name}=${key.keyArn}`).join(',');
  }

  /** The right to read the public halves. */
  publicKeyRight(): PolicyStatement {
    return this.#right('kms:GetPublicKey');
  }

  /** The right to sign, for the role's own policy; it takes effect together with `allowSigningBy`. */
  signRight(): PolicyStatement {
    return this.#right('kms:Sign');
  }

  /** Lets one function's role sign: the only `kms:Sign` in the key policy. */
  allowSigningBy(signer: SallyportFunction): void {
    for (const { key } of this.#slots) {
      key.addToResourcePolicy(
        new PolicyStatement({
          sid: 'Signing',
          principals: [signer.grantPrincipal],
          actions: ['kms:Sign'],
          resources: ['*'],
          conditions: { StringEquals: { 'kms:SigningAlgorithm': 'RSASSA_PKCS1_V1_5_SHA_256' } },
        }),
      );
    }
  }

  #right(action: string): PolicyStatement {
    return new PolicyStatement({ actions: [action], resources: this.#slots.map(({ key }) => key.keyArn) });
  }
}
