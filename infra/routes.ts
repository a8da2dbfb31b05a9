/** The functions that answer routes; the authorizer answers none. */
export type RouteTarget = 'issuer' | 'gateway' | 'contextStore' | 'control';

/** One row of the route table: every method of the row goes to the same function. */
export type Route = {
  readonly path: string;
  readonly methods: readonly ('ANY' | 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE')[];
  readonly target: RouteTarget;
  /** `token`: the authorizer decides first. `public`: no token is looked at. */
  readonly access: 'token' | 'public';
};

/**
 * Every route of the API (contract §2). `OPTIONS` is added to each path and asks for no token. `HEAD` is where documents are read: clients of files
 * ask for it, and the routes of all methods have it anyway.
 */
// biome-ignore format: one row per route
export const ROUTES: readonly Route[] = [
  { path: '/.well-known/oauth-authorization-server',                  methods: ['GET'],                   target: 'issuer',       access: 'public' },
  { path: '/.well-known/openid-configuration',                        methods: ['GET'],                   target: 'issuer',       access: 'public' },
  { path: '/.well-known/jwks.json',                                   methods: ['GET'],                   target: 'issuer',       access: 'public' },
  { path: '/.well-known/oauth-protected-resource',                    methods: ['GET'],                   target: 'issuer',       access: 'public' },
  { path: '/.well-known/oauth-protected-resource/{server}/mcp',       methods: ['GET'],                   target: 'issuer',       access: 'public' },
  { path: '/oauth/authorize',                                         methods: ['GET', 'POST'],           target: 'issuer',       access: 'public' },
  { path: '/oauth/consent',                                           methods: ['POST'],                  target: 'issuer',       access: 'public' },
  { path: '/oauth/callback/{idp}',                                    methods: ['GET'],                   target: 'issuer',       access: 'public' },
  { path: '/oauth/token',                                             methods: ['POST'],                  target: 'issuer',       access: 'public' },
  { path: '/oauth/revoke',                                            methods: ['POST'],                  target: 'issuer',       access: 'public' },
  { path: '/oauth/introspect',                                        methods: ['POST'],                  target: 'issuer',       access: 'public' },
  { path: '/oauth/register',                                          methods: ['POST'],                  target: 'issuer',       access: 'public' },
  { path: '/login',                                                   methods: ['GET', 'POST'],           target: 'issuer',       access: 'public' },
  { path: '/logout',                                                  methods: ['GET', 'POST'],           target: 'issuer',       access: 'public' },
  { path: '/connect',                                                 methods: ['GET'],                   target: 'control',      access: 'public' },
  { path: '/connect/{provider}',                                      methods: ['GET', 'POST'],           target: 'control',      access: 'public' },
  { path: '/connect/{provider}/callback',                             methods: ['GET'],                   target: 'control',      access: 'public' },
  { path: '/healthz',                                                 methods: ['GET'],                   target: 'issuer',       access: 'public' },
  { path: '/{server}/mcp',                                            methods: ['POST', 'GET', 'DELETE'], target: 'gateway',      access: 'token' },
  { path: '/egress/{service}/{path+}',                                methods: ['ANY'],                   target: 'gateway',      access: 'token' },
  { path: '/context-store/mcp',                                       methods: ['POST', 'GET', 'DELETE'], target: 'contextStore', access: 'token' },
  { path: '/context/documents',                                       methods: ['POST', 'GET', 'HEAD'],   target: 'contextStore', access: 'token' },
  { path: '/context/documents/{id}',                                  methods: ['GET', 'HEAD', 'DELETE'], target: 'contextStore', access: 'token' },
  { path: '/context/documents/{id}/content',                          methods: ['PUT', 'PATCH'],          target: 'contextStore', access: 'token' },
  { path: '/context/documents/{id}/metadata',                         methods: ['GET', 'HEAD'],           target: 'contextStore', access: 'token' },
  { path: '/context/documents/{id}/relations',                        methods: ['GET', 'HEAD'],           target: 'contextStore', access: 'token' },
  { path: '/context/search',                                          methods: ['GET', 'HEAD'],           target: 'contextStore', access: 'token' },
  { path: '/context/export',                                          methods: ['GET', 'HEAD'],           target: 'contextStore', access: 'token' },
  { path: '/context/import',                                          methods: ['POST'],                  target: 'contextStore', access: 'token' },
  { path: '/context/relations',                                       methods: ['POST'],                  target: 'contextStore', access: 'token' },
  { path: '/context/relations/definitions',                           methods: ['GET', 'HEAD'],           target: 'contextStore', access: 'token' },
  { path: '/context/relations/{id}',                                  methods: ['PATCH', 'DELETE'],       target: 'contextStore', access: 'token' },
  { path: '/context/partitions',                                      methods: ['POST', 'GET', 'HEAD'],   target: 'contextStore', access: 'token' },
  { path: '/context/partitions/{name}',                               methods: ['DELETE'],                target: 'contextStore', access: 'token' },
  { path: '/context/namespaces/{namespace}/{path+}',                  methods: ['ANY'],                   target: 'contextStore', access: 'token' },
  { path: '/runs',                                                    methods: ['POST'],               target: 'issuer',       access: 'token' },
  { path: '/runs/{id}',                                               methods: ['GET'],                target: 'issuer',       access: 'token' },
  { path: '/runs/{id}/token',                                         methods: ['POST'],               target: 'issuer',       access: 'token' },
  { path: '/runs/{id}/complete',                                      methods: ['POST'],               target: 'issuer',       access: 'token' },
  { path: '/tokens',                                                  methods: ['POST'],               target: 'issuer',       access: 'token' },
  { path: '/me',                                                      methods: ['GET'],                   target: 'control',      access: 'token' },
  { path: '/me/explain',                                              methods: ['POST'],                  target: 'control',      access: 'token' },
  { path: '/servers',                                                 methods: ['GET'],                   target: 'control',      access: 'token' },
  { path: '/servers/{server}',                                        methods: ['GET'],                   target: 'control',      access: 'token' },
  { path: '/connections',                                             methods: ['GET'],                   target: 'control',      access: 'token' },
  { path: '/connections/{provider}',                                  methods: ['POST', 'DELETE'],        target: 'control',      access: 'token' },
  { path: '/admin/policy',                                            methods: ['GET', 'PUT'],            target: 'control',      access: 'token' },
  { path: '/admin/policy/versions',                                   methods: ['GET'],                   target: 'control',      access: 'token' },
  { path: '/admin/policy/plan',                                       methods: ['POST'],                  target: 'control',      access: 'token' },
  { path: '/admin/policy/rollback',                                   methods: ['POST'],                  target: 'control',      access: 'token' },
  { path: '/admin/revocations',                                       methods: ['GET', 'POST'],           target: 'issuer',       access: 'token' },
  { path: '/admin/audit',                                             methods: ['GET'],                   target: 'control',      access: 'token' },
  { path: '/admin/audit/checkpoints',                                 methods: ['GET'],                   target: 'control',      access: 'token' },
  { path: '/admin/secrets',                                           methods: ['GET'],                   target: 'control',      access: 'token' },
  { path: '/admin/secrets/{target}/{key}',                            methods: ['PUT', 'DELETE'],         target: 'control',      access: 'token' },
  { path: '/admin/secrets/{target}/{key}/rotate',                     methods: ['POST'],                  target: 'control',      access: 'token' },
  { path: '/admin/secrets/{target}/{key}/promote',                    methods: ['POST'],                  target: 'control',      access: 'token' },
  { path: '/admin/secrets/{target}/{key}/restore',                    methods: ['POST'],                  target: 'control',      access: 'token' },
  { path: '/admin/keys',                                              methods: ['GET'],                   target: 'issuer',       access: 'token' },
  { path: '/admin/keys/{purpose}/rotate',                             methods: ['POST'],                  target: 'issuer',       access: 'token' },
  { path: '/admin/keys/{purpose}/retire',                             methods: ['POST'],                  target: 'issuer',       access: 'token' },
];
