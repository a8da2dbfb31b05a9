import { createRunTokenVerifier } from '../../verifier/index.ts';
import { type Sallyport, startSallyport } from './sallyport.ts';
import { startTokenForge, type TokenForge } from './token-forge.ts';

/** Claims of a run token, or members of a request for runs. */
export type Claims = Readonly<Record<string, unknown>>;

/** Where a document is kept. */
type Place = {
  readonly orgId: string;
  readonly namespace: string;
  readonly filters: Readonly<Record<string, string>>;
};

/** What the verifier for other services says that a token opens. */
export type OpenedScope = Place & { readonly write: boolean };

/** What the holder of a token meets: documents by their names and whether it may write, or the status of a refusal. */
export type Outcome = { readonly sees: readonly string[]; readonly mayWrite: boolean } | number;

/** As long as the name of a namespace may be. */
export const LONG_NAMESPACE = 'x'.repeat(128);

/** Both doors of one local cloud for a run token: its context store over HTTP, and the verifier for other services over its published keys. */
export type RunDoors = {
  readonly cloud: Sallyport;
  readonly forge: TokenForge;
  /** The claims of a run that may write under one filter, but for the changes; issued now. */
  claims(changes?: Claims): Claims;
  /** An honest run token but for the changes, by the issuer's own key. */
  token(changes?: Claims): Promise<string>;
  /** Asks for what is below `/runs`, as the coordinator. */
  coordinate(
    path: string,
    body?: Claims,
  ): Promise<{
    readonly run_id: string;
    readonly service_token: string;
    readonly service_tokens: Readonly<Record<string, string>>;
  }>;
  verify(token: string): Promise<OpenedScope | number>;
  /** By `Authorization` and by `X-Service-Token`, each over a read and over a write. */
  knock(token: string): Promise<readonly Outcome[]>;
  /** What a service shows and takes that does with the scope what the page of the verifier says. */
  served(scope: OpenedScope): Outcome;
  close(): Promise<void>;
};

/** `closed` could open runs once. */
const COORDINATORS: Readonly<Record<string, Claims>> = {
  coordinator: { org: 'acme' },
  'globex-coordinator': { org: 'globex' },
  closed: { org: 'acme', scopes: ['maps/read'], run_namespaces: undefined },
};

const CONFIG = {
  'scopes.yml': 'maps/read: [{ server: maps, methods: [initialize] }]',
  'servers.yml': '{}',
  'orgs.yml': 'orgs: { acme: {}, globex: {} }',
  'clients.yml': JSON.stringify({
    clients: Object.fromEntries(
      Object.entries(COORDINATORS).map(([id, entry]) => [
        id,
        {
          grants: ['client_credentials'],
          audience: 'gateway',
          secret: { ref: `sallyport/{stage}/clients/${id}` },
          scopes: ['runs/issue'],
          run_namespaces: ['atlas', 'n', LONG_NAMESPACE],
          ...entry,
        },
      ]),
    ),
  }),
};

const NAMESPACES = ['acme atlas', 'acme n', `acme ${LONG_NAMESPACE}`, 'globex atlas'];
const FILTERS: readonly Place['filters'][] = [
  {},
  { session: 's-1' },
  { session: 's-2' },
  { session: 's-1', a: '1' },
  { a: '1' },
];

/** What is stored before anyone looks: under each of the filters a document in each namespace. */
const STORED: readonly Place[] = NAMESPACES.flatMap((name) => {
  const [orgId = '', namespace = ''] = name.split(' ');
  return FILTERS.map((filters) => ({ orgId, namespace, filters }));
});

/** Starts the cloud, and stores a document in every place that tokens open or miss. */
export async function startRunDoors(): Promise<RunDoors> {
  const cloud = await startSallyport({ clients: Object.keys(COORDINATORS), config: CONFIG });
  const verifier = createRunTokenVerifier({ issuer: cloud.origin, service: 'context-store' });

  const coordinate: RunDoors['coordinate'] = async (path, body = {}) => {
    const headers = {
      ...byBearer(await cloud.token('coordinator')),
      'content-type': 'application/json',
    };
    const url = `${cloud.origin}/runs${path}`;
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`runs: ${response.status} ${await response.text()}`);
    return JSON.parse(await response.text());
  };

  const { service_token: sample } = await coordinate('', {
    agent_name: 'pilot',
    context: { namespace: 'atlas' },
  });
  const forge = await startTokenForge(cloud.origin, cloud.ready['AWS_ENDPOINT_URL_KMS'] ?? '', sample);

  const claims: RunDoors['claims'] = (changes = {}) =>
    forge.claims({
      sub: 'run-1',
      services: { 'context-store': { namespace: 'atlas', scope_filters: { session: 's-1' } } },
      ...changes,
    });
  const token: RunDoors['token'] = (changes) => forge.sign({ payload: claims(changes) });

  for (const place of STORED) {
    const { orgId: org_id, namespace, filters } = place;
    const section = { namespace, scope_filters: filters };
    const client_id = org_id === 'acme' ? 'coordinator' : 'globex-coordinator';
    const headers = byBearer(await token({ org_id, client_id, services: { 'context-store': section } }));
    const body = new FormData();
    body.set('file', new File(['text'], nameOf(place), { type: 'text/plain' }));
    const created = await fetch(`${cloud.origin}/context/documents`, { method: 'POST', headers, body });
    if (created.status !== 201) throw new Error(`seed: ${created.status} ${await created.text()}`);
  }

  return {
    cloud,
    forge,
    claims,
    token,
    coordinate,
    async verify(compact) {
      const verified = await verifier.verify(`Bearer ${compact}`);
      if (!verified.ok) return verified.refusal.status;
      const { orgId, namespace, scopeFilters: filters, permissions } = verified.scope;
      return { orgId, namespace, filters, write: permissions.write };
    },
    knock: (compact) =>
      Promise.all([byBearer(compact), { 'x-service-token': compact }].map((by) => ofStore(cloud, by))),
    served: ({ orgId, namespace, filters, write }) => {
      const isShown = (place: Place) =>
        place.orgId === orgId &&
        place.namespace === namespace &&
        (Object.keys(place.filters).length === 0 ||
          Object.entries(filters).every(([name, value]) => place.filters[name] === value));
      return { sees: STORED.filter(isShown).map(nameOf).sort(), mayWrite: write };
    },
    async close() {
      forge.close();
      await cloud.close();
    },
  };
}

/** The `Authorization` of a request. */
export function byBearer(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}` };
}

async function ofStore({ origin }: Sallyport, headers: Readonly<Record<string, string>>): Promise<Outcome> {
  const listed = await fetch(`${origin}/context/documents?limit=100`, { headers });
  const { documents, code } = JSON.parse(await listed.text());
  // What is not there is not found by those who may write.
  const deleted = await fetch(`${origin}/context/documents/doc_ghost`, { method: 'DELETE', headers });
  const read = listed.status;
  const isTold = code === (read === 401 ? 'unauthenticated' : 'permission_denied');
  if (read !== 200 && isTold && deleted.status === read) return read;
  if (read !== 200 || ![403, 404].includes(deleted.status)) {
    throw new Error(`a read is answered ${read} ${code}, a write ${deleted.status}`);
  }
  const sees = documents.map(({ filename }: { readonly filename: string }) => filename);
  return { sees: sees.sort(), mayWrite: deleted.status === 404 };
}

function nameOf({ orgId, namespace, filters }: Place): string {
  return `${orgId} ${namespace.slice(0, 8)} ${JSON.stringify(filters)}`;
}
