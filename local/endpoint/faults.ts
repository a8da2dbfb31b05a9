import { isObject, type Json, type JsonObject, toObject, toText } from '../json.ts';
import { type AwsCall, SERVICES, type ServiceName } from './aws-call.ts';

/** What a fault does to a call. */
export const FAULT_MODES = ['throttle', 'timeout', 'error', 'deny', 'slow'] as const;

/** One rehearsed outage. `ms`: how long `timeout` holds the connection, or how late `slow` answers. */
export type Fault = {
  readonly service: ServiceName;
  readonly mode: (typeof FAULT_MODES)[number];
  readonly table: string | undefined;
  readonly operation: string | undefined;
  readonly ms: number;
  readonly expiresAtMs: number | undefined;
};

const DEFAULT_MS = { throttle: 0, timeout: 60_000, error: 0, deny: 0, slow: 1_000 };
const MEMBERS = ['service', 'table', 'operation', 'mode', 'ms', 'duration_s'];

/** The outages that are rehearsed at the moment. */
export class Faults {
  #faults: Fault[] = [];
  readonly #tables: readonly string[];

  /** @param tables names of the tables that a fault may name */
  constructor(tables: readonly string[]) {
    this.#tables = tables;
  }

  /** Adds a fault from the body of `POST /faults`. @throws FaultError saying what to write instead */
  add(body: Json, nowMs: number): void {
    this.#faults.push(this.#parse(body, nowMs));
  }

  /** Ends every fault. */
  clear(): void {
    this.#faults = [];
  }

  /** The faults that are in force. */
  list(nowMs: number): readonly Fault[] {
    return this.#faults.filter(({ expiresAtMs }) => expiresAtMs === undefined || expiresAtMs > nowMs);
  }

  /** The fault that hits a call: the newest that fits. */
  find(call: Pick<AwsCall, 'service' | 'operation' | 'input'>, nowMs: number): Fault | undefined {
    return this.list(nowMs).findLast((fault) => {
      const hitsOperation = fault.operation === undefined || fault.operation === call.operation;
      const hitsTable = fault.table === undefined || tablesOf(call.input).includes(fault.table);
      return fault.service === call.service && hitsOperation && hitsTable;
    });
  }

  #parse(body: Json, nowMs: number): Fault {
    if (!isObject(body)) throw new FaultError('the body must be a JSON object');
    const unknown = Object.keys(body).find((name) => !MEMBERS.includes(name));
    if (unknown !== undefined)
      throw new FaultError(`unknown member \`${unknown}\`; known: ${MEMBERS.join(', ')}`);
    const service = SERVICES.find((name) => name === body['service']);
    if (service === undefined) throw new FaultError(`\`service\` must be one of ${SERVICES.join(', ')}`);
    const mode = FAULT_MODES.find((name) => name === body['mode']);
    if (mode === undefined) throw new FaultError(`\`mode\` must be one of ${FAULT_MODES.join(', ')}`);
    const seconds = positive(body, 'duration_s');
    return {
      service,
      mode,
      table: this.#table(body, service),
      operation: text(body, 'operation'),
      ms: positive(body, 'ms') ?? DEFAULT_MS[mode],
      expiresAtMs: seconds === undefined ? undefined : nowMs + seconds * 1000,
    };
  }

  /** A table by its name, or by a part of it that only one has. */
  #table(body: JsonObject, service: ServiceName): string | undefined {
    const table = text(body, 'table');
    if (table === undefined) return undefined;
    if (service !== 'dynamodb') throw new FaultError('only `dynamodb` has tables');
    const part = table.toLowerCase();
    const exact = this.#tables.filter((name) => name === table);
    const [found, ...more] =
      exact.length > 0 ? exact : this.#tables.filter((name) => name.toLowerCase().includes(part));
    if (found === undefined || more.length > 0) {
      throw new FaultError(`\`table\` must name one of ${this.#tables.join(', ')}`);
    }
    return found;
  }
}

/** A fault that cannot be understood; the message is for whoever asked for it. */
export class FaultError extends Error {}

/** Names of the tables that a DynamoDB call touches. */
export function tablesOf(input: JsonObject): string[] {
  const named = toText(input['TableName']);
  const batch = Object.keys(toObject(input['RequestItems']));
  return [...(named === undefined ? [] : [named]), ...batch].map((name) =>
    name.replace(/^arn:.*:table\//, ''),
  );
}

function text(body: JsonObject, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw new FaultError(`\`${name}\` must be a string`);
}

function positive(body: JsonObject, name: string): number | undefined {
  const value = body[name];
  if (value === undefined || (typeof value === 'number' && value > 0)) return value;
  throw new FaultError(`\`${name}\` must be a number above 0`);
}
