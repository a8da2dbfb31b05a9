import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AttributeType, Billing, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { DataKey } from './data-key.ts';
import { type KeyGenerations, SigningKey } from './signing-key.ts';

/** Everything that outlives a request: tables by blast radius, signing keys, and the secret that seals handles. */
export class Storage extends Construct {
  /** Policy, public keys and revocations. */
  readonly authTable: TableV2;
  /** Audit records; nobody but an administrator reads or changes them. */
  readonly auditTable: TableV2;
  /** Documents of the context store. */
  readonly contextTable: TableV2;
  /** Signs access and run tokens. */
  readonly issuerKey: SigningKey;
  /** Signs the tokens that upstreams see. */
  readonly identityKey: SigningKey;
  /** Wraps the data keys of users' connections. */
  readonly connectionKey: DataKey;
  /** Full name of the secret that seals session ids and cursors. */
  readonly sealingSecretName: string;
  readonly sealingSecret: Secret;

  constructor(
    scope: Construct,
    id: string,
    props: {
      readonly stage: string;
      readonly keyGenerations: Readonly<Record<'issuer' | 'identity', KeyGenerations>>;
    },
  ) {
    super(scope, id);
    this.authTable = this.#table('AuthTable');
    this.auditTable = this.#table('AuditTable');
    this.contextTable = this.#table('ContextTable');
    this.issuerKey = new SigningKey(this, 'IssuerKey', {
      description: `Sallyport ${props.stage}: access tokens`,
      generations: props.keyGenerations.issuer,
    });
    this.identityKey = new SigningKey(this, 'IdentityKey', {
      description: `Sallyport ${props.stage}: identity tokens for upstreams`,
      generations: props.keyGenerations.identity,
    });
    this.connectionKey = new DataKey(this, 'ConnectionKey', {
      description: `Sallyport ${props.stage}: connections of users at providers`,
    });
    this.sealingSecretName = `sallyport/${props.stage}/sealing`;
    this.sealingSecret = new Secret(this, 'SealingSecret', {
      secretName: this.sealingSecretName,
      description: 'Seals session ids and cursors; AWSCURRENT seals, AWSPREVIOUS still opens',
      generateSecretString: {
        passwordLength: 64,
        excludePunctuation: true,
        excludeUppercase: true,
        excludeCharacters: 'ghijklmnopqrstuvwxyz',
        requireEachIncludedType: false,
      },
    });
    Validations.of(this.sealingSecret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'Rotated by hand: every rotation ends the sessions sealed two versions ago.',
    });
  }

  #table(id: string): TableV2 {
    return new TableV2(this, id, {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      timeToLiveAttribute: 'expires_at',
      billing: Billing.onDemand(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }
}
