import type { IssuerPorts } from './issuer-ports.ts';

/** What an operator has to look at, one sentence each; none where nothing is missing. */
export type SetupReport = { readonly problems: readonly string[] };

/**
 * Is there what the issuer cannot serve without? A signing key that is this environment's and signs, and the secret of every identity
 * provider at which users log in. Says what an operator may know, names of secrets too, and no secret.
 */
export async function checkSetup(
  ports: Pick<IssuerPorts, 'keys' | 'signingKey' | 'rulebook' | 'secrets' | 'stage'>,
): Promise<SetupReport> {
  const signing = await findSigningProblem(ports);
  const book = await ports.rulebook.read();
  if (!book.ok) return { problems: [...signing, `the policy cannot be read: ${book.error.detail}`] };
  const logins = await Promise.all(
    [...book.value.policy.idps.values()].map(async ({ name, clientSecretName }) => {
      if (clientSecretName === undefined) return [];
      const fullName = clientSecretName.replaceAll('{stage}', ports.stage);
      const secret = await ports.secrets.read(fullName);
      return secret.ok
        ? []
        : [`nobody can log in at \`${name}\`: the secret \`${fullName}\` is ${secret.error.reason}`];
    }),
  );
  return { problems: [...signing, ...logins.flat()] };
}

async function findSigningProblem({
  keys,
  signingKey,
}: Pick<IssuerPorts, 'keys' | 'signingKey'>): Promise<readonly string[]> {
  const published = await keys.publish();
  const key = published.ok ? await signingKey.publicKey() : published;
  const signed = key.ok ? await signingKey.sign('setup', key.value.keyId) : key;
  return signed.ok ? [] : [`no token can be signed: ${signed.error.detail}`];
}
