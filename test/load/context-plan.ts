import { NOW_SECONDS } from '../support/test-issuer.ts';
import type { Random } from './random.ts';

/** Where a document is visible: `filter` 0 is everyone in the namespace. */
export type Place = { readonly org: number; readonly namespace: number; readonly filter: number };

/** A caller, and what it remembers. */
export type ContextParty = Place & {
  readonly clientId: string;
  /** What its token says. */
  readonly scope: { readonly namespace: string; readonly scope_filters?: Readonly<Record<string, string>> };
  readonly token: string;
  /** Documents that it made or was shown, and relations of theirs. */
  readonly known: { readonly id: string; readonly place: Place }[];
  readonly relations: string[];
  cursor: string | undefined;
  archive: string | undefined;
};

/** One request, and what is to be remembered of it. */
export type ContextPlan = {
  readonly operation: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Where what is written is visible. */
  readonly place: Place;
  /** Is it about a document that the caller cannot see? */
  readonly isForeign: boolean;
  /** The request as text: what is in it is no news to its caller. */
  readonly said: string;
};

/** The organisations. */
export const ORG_IDS: readonly string[] = ['o0', 'o1', 'o2', 'o3', 'o4'];

const NAMESPACES = 4;
/** Filters of the five callers of a namespace. */
const FILTERS = [0, 1, 1, 2, 2];
const MAX_KNOWN = 12;
const JSON_BODY = { 'content-type': 'application/json' };

const WEIGHTS = {
  upload: 10,
  list: 12,
  'list by tag': 6,
  'list by cursor': 6,
  read: 14,
  'read a range': 5,
  describe: 8,
  write: 5,
  edit: 6,
  delete: 8,
  search: 10,
  relate: 5,
  relations: 4,
  unrelate: 2,
  export: 3,
  import: 2,
  tool: 3,
} as const;

/** A hundred callers: every one with a token of its own, the second of each namespace's filters with a run token. */
export function makeParties(
  sign: (claims: Readonly<Record<string, unknown>>, header: Readonly<Record<string, unknown>>) => string,
): readonly ContextParty[] {
  const parties: ContextParty[] = [];
  for (const [org, orgId] of ORG_IDS.entries()) {
    for (let namespace = 0; namespace < NAMESPACES; namespace += 1) {
      for (const [index, filter] of FILTERS.entries()) {
        const number = parties.length;
        const clientId = `c-${number}`;
        // Names that begin alike, and are alike in every organisation.
        const scope = {
          namespace: 'n'.repeat(namespace + 1),
          ...(filter === 0 ? {} : { scope_filters: { run: `r-${filter}` } }),
        };
        const common = { org_id: orgId, client_id: clientId, jti: `j-${number}`, iat: NOW_SECONDS };
        const isRun = index % 2 === 0 && filter !== 0;
        const run = { sub: `run_${number}`, aud: ['context-store'], token_kind: 'run', scope: undefined };
        const claims = isRun
          ? { ...common, ...run, services: { 'context-store': scope }, permissions: ['read', 'write'] }
          : { ...common, sub: clientId, scope: 's', ...scope };
        const token = sign(claims, isRun ? { typ: 'JWT' } : {});
        const known: ContextParty['known'] = [];
        parties.push({
          clientId,
          scope,
          org,
          namespace,
          filter,
          token,
          known,
          relations: [],
          cursor: undefined,
          archive: undefined,
        });
      }
    }
  }
  return parties;
}

/** A word that says where what it is in may be seen. */
export function markOf({ org, namespace, filter }: Place): string {
  return `mk${org}x${namespace}x${filter}z`;
}

/** Every mark in a text. */
export function marksIn(text: string): readonly (Place & { readonly text: string })[] {
  return Array.from(text.matchAll(/mk(\d)x(\d)x(\d)z/g), ([mark, org, namespace, filter]) => ({
    text: mark,
    org: Number(org),
    namespace: Number(namespace),
    filter: Number(filter),
  }));
}

/** The table of visibility, in other words than the store's. */
export function isVisibleTo(party: Place, place: Place): boolean {
  const isNear = party.org === place.org && party.namespace === place.namespace;
  return isNear && (place.filter === 0 || party.filter === 0 || party.filter === place.filter);
}

/** Draws a request: half of those about one document are about another's. */
export function planContext(
  random: Random,
  party: ContextParty,
  parties: readonly ContextParty[],
  number: number,
): ContextPlan {
  const operation = random.weighted(WEIGHTS);
  const other = random.chance(0.5) ? random.pick(parties) : party;
  const target = other.known[random.below(Math.max(1, other.known.length))];
  const second = (random.chance(0.7) ? party : random.pick(parties)).known[0];
  const isForeign = target !== undefined && !isVisibleTo(party, target.place);
  const id = target?.id ?? `doc_${'0'.repeat(24)}`;
  const own: Place = party;
  const ask = (
    method: string,
    path: string,
    { body, headers = {}, place = own, about = false }: PlanParts = {},
  ): ContextPlan => ({
    operation,
    method,
    path: path.startsWith('/context-store') ? path : `/context${path}`,
    headers,
    body,
    place,
    isForeign: about && isForeign,
    said: `${path} ${body ?? ''}`,
  });
  const document = `/documents/${id}`;
  const place = target?.place ?? own;
  const text = `${markOf(place)} common words of number ${number % 50}`;
  switch (operation) {
    case 'upload':
      // Namespaces stay as large as they are.
      if (party.known.length >= MAX_KNOWN) return ask('DELETE', `/documents/${party.known.at(-1)?.id}`);
      return ask('POST', '/documents', { ...toForm(own, number, random.chance(0.2)), place: own });
    case 'list':
      return ask('GET', `/documents?limit=${1 + random.below(20)}&include_relations=${random.chance(0.3)}`);
    case 'list by tag':
      return ask('GET', `/documents?tags=${markOf(random.pick(parties))}&limit=10`);
    case 'list by cursor':
      return ask('GET', `/documents?limit=3${other.cursor === undefined ? '' : `&cursor=${other.cursor}`}`);
    case 'read':
      return ask('GET', document, { about: true });
    case 'read a range':
      return ask('GET', `${document}?offset=${random.below(4)}&limit=40`, { about: true });
    case 'describe':
      return ask('GET', `${document}/metadata`, { about: true });
    case 'write':
      return ask('PUT', `${document}/content`, { body: text, place, about: true });
    case 'edit': {
      const body = JSON.stringify({ offset: 0, length: 0, new_string: `${markOf(place)} ` });
      return ask('PATCH', `${document}/content`, { body, headers: JSON_BODY, place, about: true });
    }
    case 'delete':
      return ask('DELETE', document, { about: true });
    case 'search':
      return ask(
        'GET',
        `/search?q=${random.pick(['common', 'number', markOf(random.pick(parties))])}&limit=20`,
      );
    case 'relate': {
      const kind = random.pick(['parent-child', 'related', 'predecessor-successor']);
      const relation = { definition: kind, from_document_id: id, to_document_id: second?.id ?? id };
      const isVisible = second === undefined || isVisibleTo(party, second.place);
      const plan = ask('POST', '/relations', {
        body: JSON.stringify({ ...relation, from_to_note: markOf(place) }),
        headers: JSON_BODY,
        about: true,
      });
      return { ...plan, isForeign: plan.isForeign || !isVisible };
    }
    case 'relations':
      return ask('GET', `${document}/relations`, { about: true });
    case 'unrelate':
      return ask('DELETE', `/relations/${other.relations[0] ?? `rel_${'0'.repeat(24)}`}`);
    case 'export':
      return ask('GET', '/export?limit=20');
    case 'import':
      // Its own: what somebody else gave it would be its own to import.
      return ask('POST', '/import', {
        body: party.archive ?? '{"type":"archive","format":"sallyport-context","version":1}',
        headers: { 'content-type': 'application/x-ndjson' },
      });
    case 'tool': {
      const [name, args] = random.pick([
        ['doc_read', { document_id: id }],
        ['doc_query', { limit: 5 }],
        ['doc_search', { q: 'common' }],
      ] as const);
      const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } };
      const headers = { ...JSON_BODY, accept: 'application/json, text/event-stream' };
      const plan = ask('POST', '/context-store/mcp', { body: JSON.stringify(body), headers });
      return { ...plan, isForeign: isForeign && name === 'doc_read' };
    }
  }
}

type PlanParts = {
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly place?: Place;
  readonly about?: boolean;
};

/** Keeps what an answer taught the caller. */
export function remember(party: ContextParty, plan: ContextPlan, response: Response, text: string): void {
  if (response.status >= 300) return;
  if (plan.operation === 'upload') {
    if (response.status === 201) party.known.unshift({ id: JSON.parse(text).id, place: plan.place });
    else party.known.pop();
  }
  if (plan.operation === 'relate') {
    party.relations.unshift(JSON.parse(text).id);
    if (party.relations.length > MAX_KNOWN) party.relations.pop();
  }
  if (plan.operation.startsWith('list')) party.cursor = JSON.parse(text).next_cursor ?? undefined;
  if (plan.operation === 'export') party.archive = text;
}

/** A form of one small file; repeated ones have the same key and say the same. */
function toForm(place: Place, number: number, isRepeated: boolean): PlanParts {
  const mark = markOf(place);
  const boundary = 'a-boundary-that-is-nowhere-else';
  const part = (head: string, content: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`;
  const body = [
    part(`name="file"; filename="${mark}.txt"`, `${mark} common number ${isRepeated ? 0 : number % 50}`),
    part('name="tags"', mark),
    `--${boundary}--\r\n`,
  ].join('');
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
  return { body, headers: isRepeated ? { ...headers, 'idempotency-key': 'the-same' } : headers };
}
