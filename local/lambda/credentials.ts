const PREFIX = 'LOCALFUNCTION';

/** Access key id of a function of the local cloud; says which function it is, as a role's credentials do on AWS. */
export function toAccessKeyId(logicalId: string): string {
  return `${PREFIX}${logicalId}`;
}

/** The logical id of the function whose access key id it is; `undefined` for anyone else's. */
export function fromAccessKeyId(accessKeyId: string): string | undefined {
  return accessKeyId.startsWith(PREFIX) ? accessKeyId.slice(PREFIX.length) : undefined;
}
