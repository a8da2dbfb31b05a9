/** Something that not everyone may see: a server, a service, whatever a module keeps. */
export type Item = {
  /** Undefined: of every organisation. */
  readonly orgId: string | undefined;
  /** `public`, `org`, `team:NAME` or `private:SUBJECT`; anything else hides it from all. */
  readonly visibility: string;
};

/** Who looks. */
export type Viewer = {
  readonly orgId: string;
  readonly subject: string;
  readonly teams: readonly string[];
  readonly isPublicOnly: boolean;
};

const TEAM = 'team:';
const PRIVATE = 'private:';

/** The team that an item is for; undefined where it is for none. */
export function teamOf({ visibility }: Item): string | undefined {
  return visibility.startsWith(TEAM) ? visibility.slice(TEAM.length) : undefined;
}

/**
 * May this party know that the item exists? What is hidden is answered as what does not exist (404), on every verb. `public` and `org` are
 * for everyone in the item's organisation, `team:NAME` for members of the viewer's own team of that name, `private:SUBJECT` for
 * that subject alone: nobody else sees it, whatever they administer. An item of another organisation is never visible.
 */
export function visible(viewer: Viewer, item: Item): boolean {
  if (item.orgId !== undefined && item.orgId !== viewer.orgId) return false;
  const { visibility } = item;
  if (visibility === 'public' || visibility === 'org') return true;
  if (viewer.isPublicOnly) return false;
  const team = teamOf(item);
  return team === undefined ? visibility === PRIVATE + viewer.subject : viewer.teams.includes(team);
}
