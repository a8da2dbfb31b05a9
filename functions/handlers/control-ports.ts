import type { Context } from 'hono';
import type { PolicyHistory, PolicyStore } from '../core/ports.ts';
import type { SecretAdministration } from '../core/secret-administration.ts';
import type { AuditTrail } from './admin-audit.ts';
import type { ConnectPorts } from './connect/connect-ports.ts';
import type { ModuleEnv, ModulePorts } from './module.ts';

/** The ports of the control plane. */
export type ControlPorts = ModulePorts & {
  readonly policies: PolicyStore;
  /** The versions that ran. */
  readonly policyHistory: PolicyHistory;
  readonly auditTrail: AuditTrail;
  readonly secretAdministration: SecretAdministration;
  readonly stage: string;
  /** Of the connect pages, beside those that it has in common with every module. */
  readonly connecting: Omit<ConnectPorts, 'audit' | 'now' | 'log'>;
};

/** What every route of the control plane has: the invocation, and who was admitted to it. */
export type ControlEnv = ModuleEnv;

/** One request to the control plane. */
export type ControlContext = Context<ControlEnv>;
