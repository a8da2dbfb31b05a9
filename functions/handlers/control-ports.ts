import type { Context } from 'hono';
import type { Invocation } from '../core/invocation.ts';
import type { PolicyStore } from '../core/ports.ts';
import type { RecordPorts } from './access.ts';
import type { Admission, Ingress } from './ingress.ts';

/** The ports of the control plane. */
export type ControlPorts = RecordPorts & {
  readonly ingress: Ingress;
  readonly policies: PolicyStore;
  /** Browser origins whose pages may read the answers. */
  readonly allowedOrigins: readonly string[];
};

/** What every route of the control plane has: the invocation, and who was admitted to it. */
export type ControlEnv = { Bindings: Invocation; Variables: { admission: Admission } };

/** One request to the control plane. */
export type ControlContext = Context<ControlEnv>;
