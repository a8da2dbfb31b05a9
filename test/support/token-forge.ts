import { createPublicKey, randomUUID } from 'node:crypto';
import {
  DescribeKeyCommand,
  GetPublicKeyCommand,
  KMSClient,
  ListKeysCommand,
  SignCommand,
} from '@aws-sdk/client-kms';

/** A part of a token: an object is written as JSON, a string or bytes as they are. */
export type Part = Readonly<Record<string, unknown>> | string | Uint8Array;

/** Which of the two keys signs. */
export type KeyName = 'issuer' | 'identity';

/** Signs what the issuer and the gateway would never sign, with their own keys, as one could who holds `kms:Sign`. */
export type TokenForge = {
  /** The header of a real token. */
  readonly header: Readonly<Record<string, unknown>>;
  readonly keyIds: Readonly<Record<KeyName, string>>;
  readonly publicKeys: Readonly<Record<KeyName, Readonly<Record<string, unknown>>>>;
  /** The claims of a real token, issued now and living 300 s, under a `jti` of their own. */
  claims(changed?: Readonly<Record<string, unknown>>): Record<string, unknown>;
  sign(parts: { header?: Part; payload?: Part; key?: KeyName }): Promise<string>;
  close(): void;
};

/** A token's part, in the form that stands in the token. */
export function encodePart(part: Part): string {
  const isRaw = typeof part === 'string' || part instanceof Uint8Array;
  return Buffer.from(isRaw ? part : JSON.stringify(part)).toString('base64url');
}

/** The parsed header and claims of a token. */
export function decodeToken(token: string): readonly [Record<string, unknown>, Record<string, unknown>] {
  const [header = '', payload = ''] = token.split('.');
  const parse = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
  return [parse(header), parse(payload)];
}

/** Forges from a real token, with the keys of the local KMS. */
export async function startTokenForge(
  origin: string,
  kmsEndpoint: string,
  sample: string,
): Promise<TokenForge> {
  const kms = new KMSClient({
    region: 'us-east-1',
    endpoint: kmsEndpoint,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const { keys } = JSON.parse(await (await fetch(`${origin}/.well-known/jwks.json`)).text());
  const [header, claims] = decodeToken(sample);
  const named = new Map<string, string>();
  const ofIdentity = new Set<string>();
  for (const { KeyId } of (await kms.send(new ListKeysCommand())).Keys ?? []) {
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }));
    if (KeyMetadata?.KeyUsage !== 'SIGN_VERIFY') continue;
    const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId }));
    const jwk = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' }).export({
      format: 'jwk',
    });
    for (const { kid, n } of keys) {
      if (n !== jwk.n || KeyId === undefined) continue;
      named.set(kid, KeyId);
      if (KeyMetadata.Description?.includes('identity tokens')) ofIdentity.add(kid);
    }
  }
  const issuerKey = keys.find(({ kid }: { kid: string }) => kid === header['kid']);
  const identityKey = keys.find(({ kid }: { kid: string }) => ofIdentity.has(kid));
  const keyIds = { issuer: issuerKey.kid, identity: identityKey.kid };

  const freshClaims: TokenForge['claims'] = (changed = {}) => {
    const iat = Math.floor(Date.now() / 1000);
    return { ...claims, iat, exp: iat + 300, jti: randomUUID(), ...changed };
  };

  return {
    header,
    keyIds,
    publicKeys: { issuer: issuerKey, identity: identityKey },
    claims: freshClaims,
    async sign({ header: head = header, payload = freshClaims(), key = 'issuer' }) {
      const input = `${encodePart(head)}.${encodePart(payload)}`;
      const { Signature } = await kms.send(
        new SignCommand({
          KeyId: named.get(keyIds[key]),
          Message: Buffer.from(input),
          SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256',
        }),
      );
      return `${input}.${Buffer.from(Signature ?? []).toString('base64url')}`;
    },
    close: () => kms.destroy(),
  };
}
