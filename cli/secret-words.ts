import { z } from 'zod';
import { timeOf } from './time.ts';

/** What can be done to one secret. */
export type SecretVerb = 'put' | 'rotate' | 'promote' | 'delete' | 'restore';

/** Secrets as the gateway lists them. Times are epoch seconds. */
export const Secrets = z.object({
  secrets: z.array(
    z.object({
      target: z.string(),
      key: z.string(),
      id: z.string().optional(),
      created_at: z.number().optional(),
      changed_at: z.number().optional(),
      deleted_at: z.number().optional(),
      versions: z.array(z.object({ id: z.string(), stages: z.array(z.string()) })),
    }),
  ),
  next: z.string().optional(),
});

export type Secrets = z.infer<typeof Secrets>;

const Changed = z.object({
  target: z.string(),
  key: z.string(),
  org: z.string(),
  note: z.string().optional(),
});

const DONE: Readonly<Record<SecretVerb, string>> = {
  put: 'stored: it is in use within 60 s, and at once where the old one is refused',
  rotate:
    'staged: it is used where the current one is refused; `sallyport secret promote` makes it the current one',
  promote: 'promoted: it is in use within 60 s, and at once where the old one is refused',
  delete: 'deleted: it is in use for 60 s at most; `sallyport secret restore` brings it back for a week',
  restore: 'restored: it is in use at once, or within 5 s',
};

/** What was done, in lines for people. */
export function describeChange(verb: SecretVerb, body: unknown): readonly string[] {
  const changed = Changed.safeParse(body);
  if (!changed.success) return [DONE[verb]];
  const { org, target, key, note } = changed.data;
  return [`${key} for ${target} of ${org}`, DONE[verb], ...(note === undefined ? [] : [`note: ${note}`])];
}

/** Secrets in lines for people. */
export function describeSecrets(secrets: Secrets['secrets']): readonly string[] {
  const owners = secrets.map(({ key, id }) => (id === undefined ? key : `${key.split('.')[0]}.${id}`));
  const widths = [
    Math.max(...secrets.map(({ target }) => target.length)),
    Math.max(...owners.map((owner) => owner.length)),
  ] as const;
  return secrets.map((secret, index) => {
    const { changed_at, deleted_at, versions } = secret;
    const waits = versions.some(
      ({ stages }) => stages.includes('AWSPENDING') && !stages.includes('AWSCURRENT'),
    );
    const isEmpty = !versions.some(({ stages }) => stages.includes('AWSCURRENT'));
    const words = [
      changed_at === undefined ? '' : `changed ${timeOf(changed_at)}`,
      isEmpty ? 'no version is the current one: put one' : '',
      waits ? 'a new version waits' : '',
      deleted_at === undefined ? '' : `deleted ${timeOf(deleted_at)}`,
    ];
    const place = `${secret.target.padEnd(widths[0])}  ${(owners[index] ?? '').padEnd(widths[1])}`;
    return `${place}  ${words.filter((word) => word !== '').join(', ')}`;
  });
}
