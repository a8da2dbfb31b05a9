/** What a role may hold, by category. */
const CATALOGUE = {
  users: ['create', 'read', 'update', 'delete', 'invite'],
  teams: ['create', 'read', 'update', 'delete', 'join', 'manage_members'],
  tools: ['create', 'read', 'update', 'delete', 'execute'],
  plugins: ['read'],
  resources: ['create', 'read', 'update', 'delete', 'share'],
  gateways: ['create', 'read', 'update', 'delete'],
  prompts: ['create', 'read', 'update', 'delete', 'execute'],
  servers: ['create', 'read', 'use', 'update', 'delete', 'manage'],
  tokens: ['create', 'read', 'update', 'revoke'],
  admin: [
    'system_config',
    'user_management',
    'security_audit',
    'overview',
    'dashboard',
    'events',
    'grpc',
    'plugins',
    'oauth_clients:read',
    'oauth_clients:delete',
  ],
  a2a: ['create', 'read', 'update', 'delete', 'invoke'],
  tags: ['read', 'create', 'update', 'delete'],
} as const;

type Catalogue = typeof CATALOGUE;

/** A permission of the catalogue, as `category.action`. */
export type Permission = {
  [C in keyof Catalogue]: `${C}.${Catalogue[C][number]}`;
}[keyof Catalogue];

/** Every permission that there is. */
export const PERMISSIONS: ReadonlySet<string> = new Set(
  Object.entries(CATALOGUE).flatMap(([category, actions]) =>
    actions.map((action) => `${category}.${action}`),
  ),
);

/** Every permission: `platform_admin` alone has it. */
export const EVERY_PERMISSION = '*';

/** Is this one that a token without teams never has (formats §4.2)? */
export function isAdministrative(permission: string): boolean {
  return permission.startsWith('admin.');
}

/** What is administered under `/admin` (contract §9): the actions of `UI-Scopes`, and the permission that each needs. */
export const ADMINISTRATION = {
  list_service: 'servers.read',
  register_service: 'servers.create',
  health_check_service: 'servers.read',
  toggle_service: 'servers.manage',
  modify_service: 'servers.update',
  manage_clients: 'admin.user_management',
  manage_secrets: 'admin.system_config',
  manage_policy: 'admin.system_config',
  revoke: 'tokens.revoke',
  read_audit: 'admin.security_audit',
} as const satisfies Readonly<Record<string, Permission>>;

/** An action of `UI-Scopes`. */
export type AdministrationAction = keyof typeof ADMINISTRATION;
