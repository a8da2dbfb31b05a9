import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';

type Row = Record<string, AttributeValue>;

/** What calls consumed, as DynamoDB counts on demand: reads are consistent. */
export type Units = { read: number; write: number; calls: number };

/** Bytes that one query looks at (DynamoDB API reference, Query). */
const PAGE_BYTES = 1_048_576;

/** Sort keys that begin with the same word. Those that came since the last query are sorted in when there is one. */
type Keys = { sorted: string[]; added: string[] };

/** The rows of one partition. Only a query of all spans keys of different first words, so each kind is in an order of its own. */
class Partition {
  readonly rows = new Map<string, Row>();
  readonly #kinds = new Map<string, Keys>();

  get(sk: string): Row | undefined {
    return this.rows.get(sk);
  }

  put(sk: string, row: Row): void {
    if (!this.rows.has(sk)) this.#keysLike(sk).added.push(sk);
    this.rows.set(sk, row);
  }

  /** Keys from this one on; some of them may be gone. */
  *from(start: string): Generator<string> {
    const keys = this.#keysLike(start);
    if (keys.added.length > 0) {
      const live = [...keys.sorted, ...keys.added].filter((sk) => this.rows.has(sk));
      keys.sorted = [...new Set(live)].sort();
      keys.added = [];
    }
    let low = 0;
    let high = keys.sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((keys.sorted[middle] ?? '') < start) low = middle + 1;
      else high = middle;
    }
    for (let index = low; index < keys.sorted.length; index += 1) yield keys.sorted[index] ?? '';
  }

  /** All keys from this one on, of every first word. */
  everyFrom(start: string): readonly string[] {
    return [...this.rows.keys()].filter((sk) => sk >= start).sort();
  }

  #keysLike(sk: string): Keys {
    const [kind = ''] = sk.split('#');
    const keys = this.#kinds.get(kind) ?? { sorted: [], added: [] };
    this.#kinds.set(kind, keys);
    return keys;
  }
}

/** What a test puts before the answer, as the SDK's middleware has it. */
type Next = (call: { readonly input: object }) => Promise<{ readonly output: object }>;
type Layer = (next: Next, context: { readonly commandName: string }) => Next;

/**
 * As much of DynamoDB as the context table uses, in memory, so that a hundred thousand documents or a million requests fit into a run. It
 * counts units as AWS does and throws at what it does not know. A client of one partition is refused every other, as IAM would.
 */
export class MemoryContextTable {
  readonly #partitions = new Map<string, Partition>();
  readonly units: Units = { read: 0, write: 0, calls: 0 };
  refused = 0;

  /** A client of this table; where a partition is named, of that one alone. */
  client(onlyPartition?: string): DynamoDBClient {
    const layers: Layer[] = [];
    const answer = async (command: { readonly input: object }): Promise<object> => {
      this.units.calls += 1;
      const admit = (pk: string): Partition => {
        if (onlyPartition !== undefined && pk !== onlyPartition) {
          this.refused += 1;
          throw Object.assign(new Error('not this partition'), { name: 'AccessDeniedException' });
        }
        const partition = this.#partitions.get(pk) ?? new Partition();
        this.#partitions.set(pk, partition);
        return partition;
      };
      return this.#answer(command, admit);
    };
    const send = async (command: { readonly input: object }): Promise<object> => {
      const context = { commandName: command.constructor.name };
      let next: Next = async () => ({ output: await answer(command) });
      for (const layer of layers.toReversed()) next = layer(next, context);
      return (await next({ input: command.input })).output;
    };
    const middlewareStack = { add: (layer: Layer) => layers.push(layer) };
    // biome-ignore lint/nursery/noUnsafeTypeAssertion: of the client, the context table calls `send` alone, and tests put layers before it
    return { send, middlewareStack } as unknown as DynamoDBClient;
  }

  #answer(command: object, admit: (pk: string) => Partition): object {
    if (command instanceof GetItemCommand) return { Item: this.#get(command.input.Key, admit) };
    if (command instanceof PutItemCommand) {
      const { Item, ConditionExpression, ExpressionAttributeValues } = command.input;
      this.#check(Item, admit, ConditionExpression, ExpressionAttributeValues);
      this.#put(Item, admit);
      return {};
    }
    if (command instanceof DeleteItemCommand) {
      const { Key, ConditionExpression, ExpressionAttributeValues } = command.input;
      this.#check(Key, admit, ConditionExpression, ExpressionAttributeValues);
      this.#delete(Key, admit);
      return {};
    }
    if (command instanceof UpdateItemCommand) {
      const { Key, ConditionExpression, UpdateExpression } = command.input;
      const { ExpressionAttributeNames, ExpressionAttributeValues } = command.input;
      const [, change, set = '', names = ''] =
        /^(ADD|DELETE) (\w+) (:\w+)$/.exec(UpdateExpression ?? '') ?? [];
      if (change === undefined && UpdateExpression?.startsWith('SET ') !== true)
        throw new Error('an update that is not known');
      this.#check(Key, admit, ConditionExpression, ExpressionAttributeValues);
      const { pk, sk } = keyOf(Key);
      const next = { ...admit(pk).get(sk) };
      if (change !== undefined || UpdateExpression === undefined) {
        const { [set]: standing, ...others } = next;
        const some = ExpressionAttributeValues?.[names]?.SS ?? [];
        const kept = standing?.SS?.filter((one) => !some.includes(one)) ?? [];
        const SS = change === 'ADD' ? [...kept, ...some] : kept;
        this.#put({ ...others, ...(SS.length === 0 ? {} : { [set]: { SS } }) }, admit);
        return {};
      }
      for (const [name = '', value = ''] of UpdateExpression.slice(4)
        .split(', ')
        .map((set) => set.split(' = '))) {
        next[ExpressionAttributeNames?.[name] ?? name] = ExpressionAttributeValues?.[value] ?? { NULL: true };
      }
      this.#put(next, admit);
      return {};
    }
    if (command instanceof BatchGetItemCommand) {
      const [[name, { Keys = [] }] = ['', {}]] = Object.entries(command.input.RequestItems ?? {});
      const rows = Keys.map((key) => this.#get(key, admit)).filter((row) => row !== undefined);
      return { Responses: { [name]: rows } };
    }
    if (command instanceof BatchWriteItemCommand) {
      for (const request of Object.values(command.input.RequestItems ?? {}).flat()) {
        if (request.PutRequest !== undefined) this.#put(request.PutRequest.Item, admit);
        if (request.DeleteRequest !== undefined) this.#delete(request.DeleteRequest.Key, admit);
      }
      return {};
    }
    if (command instanceof QueryCommand) return this.#query(command.input, admit);
    throw new Error(`${command.constructor.name} is not known`);
  }

  #query(input: QueryCommand['input'], admit: (pk: string) => Partition): object {
    const { ExpressionAttributeValues: values = {}, ExclusiveStartKey: after, Limit = 1_000_000 } = input;
    if (input.KeyConditionExpression !== 'pk = :pk AND begins_with(sk, :prefix)') {
      throw new Error('a query that is not known');
    }
    const partition = admit(values[':pk']?.S ?? '');
    const prefix = values[':prefix']?.S ?? '';
    const start = after === undefined ? prefix : `${after['sk']?.S ?? ''}\0`;
    const Items: Row[] = [];
    let bytes = 0;
    let last: Row | undefined;
    let isMore = false;
    for (const sk of prefix === '' ? partition.everyFrom(start) : partition.from(start)) {
      if (!sk.startsWith(prefix)) break;
      const row = partition.get(sk);
      if (row === undefined) continue;
      isMore = Items.length >= Limit || bytes >= PAGE_BYTES;
      if (isMore) break;
      bytes += sizeOf(row);
      last = row;
      Items.push(row);
    }
    this.units.read += Math.max(1, Math.ceil(bytes / 4096));
    const key = { pk: last?.['pk'], sk: last?.['sk'] };
    return { Items, ...(isMore ? { LastEvaluatedKey: key } : {}) };
  }

  #check(
    key: Row | undefined,
    admit: (pk: string) => Partition,
    condition: string | undefined,
    values: Row | undefined,
  ): void {
    const { pk, sk } = keyOf(key);
    const row = admit(pk).get(sk);
    if (condition !== undefined && !holds(condition, row, values))
      throw new ConditionalCheckFailedException({ message: 'no', $metadata: {} });
  }

  #get(key: Row | undefined, admit: (pk: string) => Partition): Row | undefined {
    const { pk, sk } = keyOf(key);
    const row = admit(pk).get(sk);
    this.units.read += Math.max(1, Math.ceil((row === undefined ? 0 : sizeOf(row)) / 4096));
    return row;
  }

  #put(row: Row | undefined, admit: (pk: string) => Partition): void {
    const { pk, sk } = keyOf(row);
    this.units.write += Math.ceil(sizeOf(row ?? {}) / 1024);
    admit(pk).put(sk, row ?? {});
  }

  #delete(key: Row | undefined, admit: (pk: string) => Partition): void {
    const { pk, sk } = keyOf(key);
    const { rows } = admit(pk);
    this.units.write += Math.max(1, Math.ceil(sizeOf(rows.get(sk) ?? {}) / 1024));
    rows.delete(sk);
  }
}

function keyOf(row: Row | undefined): { readonly pk: string; readonly sk: string } {
  return { pk: row?.['pk']?.S ?? '', sk: row?.['sk']?.S ?? '' };
}

/** Bytes of an item, about as DynamoDB counts them: names and values. */
function sizeOf(row: Row): number {
  let bytes = 0;
  for (const name in row) bytes += name.length + valueSize(row[name]);
  return bytes;
}

function valueSize(value: AttributeValue | undefined): number {
  if (value?.S !== undefined) return Buffer.byteLength(value.S);
  if (value?.N !== undefined) return Math.ceil(value.N.length / 2) + 1;
  if (value?.B !== undefined) return value.B.length;
  if (value?.L !== undefined) return value.L.reduce((sum, one) => sum + 1 + valueSize(one), 3);
  return 1;
}

/** Does a condition of the sorts that the store knows hold of a row? Names may be escaped by a `#`, and stand for themselves. */
function holds(condition: string, row: Row | undefined, values: Row | undefined): boolean {
  for (const [word, some] of [
    [' OR ', true],
    [' AND ', false],
  ] as const) {
    const parts = splitOutside(condition, word);
    if (parts.length > 1) return parts.some((part) => holds(part, row, values) === some) === some;
  }
  if (condition.startsWith('(')) return holds(condition.slice(1, -1), row, values);
  const [, not, exists] = /^attribute_(not_)?exists\(#?(\w+)\)$/.exec(condition) ?? [];
  if (exists !== undefined) return (row?.[exists] === undefined) === (not !== undefined);
  const [, typed] = /^attribute_type\((\w+), :set\)$/.exec(condition) ?? [];
  if (typed !== undefined) return row?.[typed]?.SS !== undefined;
  const [, holder, held = ''] = /^contains\((\w+), (:\w+)\)$/.exec(condition) ?? [];
  if (holder !== undefined) return row?.[holder]?.SS?.includes(values?.[held]?.S ?? '') === true;
  const [, name, sign, value] = /^#?(\w+) (=|<|<=) (:\w+)$/.exec(condition) ?? [];
  if (name === undefined || value === undefined)
    throw new Error(`a condition that is not known: ${condition}`);
  const [one, other] = [row?.[name], values?.[value]];
  if (one === undefined || other === undefined) return false;
  if (sign === '<') return (one.S ?? '') < (other.S ?? '');
  return sign === '=' ? one.S === other.S && one.N === other.N : Number(one.N) <= Number(other.N);
}

/** The parts of a condition between words that stand outside of parentheses. */
function splitOutside(condition: string, word: string): readonly string[] {
  const parts: string[] = [];
  for (const part of condition.split(word)) {
    const last = parts.at(-1);
    const isOpen = last !== undefined && last.split('(').length > last.split(')').length;
    if (isOpen) parts[parts.length - 1] = `${last}${word}${part}`;
    else parts.push(part);
  }
  return parts;
}
