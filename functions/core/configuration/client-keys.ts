import { isUsableKey } from '../foreign-algorithm.ts';
import { isPrivateMember } from '../jwks.ts';
import { parseUpstreamUrl } from '../perimeter.ts';
import type { ClientEntry } from '../policy.ts';
import type { YamlReader } from './yaml-reader.ts';

/** The keys of a client that signs assertions. */
export type ClientKeys = Pick<ClientEntry, 'jwks' | 'jwksUri' | 'jwksUriPrivate'>;

/**
 * Reads the public keys of a client (RFC 7517): inline, or where they are published. A client with `private_key_jwt` has one of the two,
 * every other client neither. A private key among them is an error: it would be in every copy of the policy.
 */
export function readClientKeys(
  client: YamlReader,
  auth: ClientEntry['auth'],
  members: Partial<Record<'jwks' | 'jwks_uri' | 'jwks_uri_private', YamlReader>>,
): ClientKeys {
  const { jwks, jwks_uri: uri, jwks_uri_private: isPrivate } = members;
  const given = [jwks, uri].flatMap((one) => one ?? []);
  if (auth !== 'private_key_jwt') {
    for (const one of given) one.problem('only a client with `auth: private_key_jwt` has keys');
  } else if (given.length !== 1) {
    client.problem('write where the public keys are: `jwks: { keys: [...] }` or `jwks_uri: https://…`');
  }
  const jwksUriPrivate = isPrivate?.boolean() ?? false;
  return {
    jwks: jwks === undefined ? [] : readKeys(jwks),
    jwksUri: uri === undefined ? undefined : readUri(uri, jwksUriPrivate),
    jwksUriPrivate,
  };
}

function readKeys(jwks: YamlReader): ClientKeys['jwks'] {
  const items = jwks.members('keys').keys?.items() ?? [];
  if (items.length === 0) jwks.problem('write at least one key: `keys: [{ kty: EC, crv: P-256, … }]`');
  return items.flatMap((item) => {
    const members = item.entries();
    const [secret] = members.filter(([name]) => isPrivateMember(name));
    if (secret !== undefined) {
      secret[1].problem('this is a private key; write its public members alone, and take it for disclosed');
      return [];
    }
    // Certificates and operations beside the key are lists, and nothing reads them.
    const texts = members.filter(([name]) => !['x5c', 'key_ops', 'ext'].includes(name));
    const key = Object.fromEntries(texts.map(([name, value]) => [name, value.string() ?? '']));
    if (isUsableKey(key)) return [key];
    item.problem('this is no key for RS256, PS256 or ES256: RSA of 2048 bits or more, or EC on P-256');
    return [];
  });
}

function readUri(uri: YamlReader, isPrivate: boolean): string | undefined {
  const text = uri.string();
  if (text === undefined) return undefined;
  const url = parseUpstreamUrl(text, isPrivate);
  return url.ok ? text : uri.problem(url.error.replace('`private: true`', '`jwks_uri_private: true`'));
}
