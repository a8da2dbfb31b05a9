import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';

/** Something wrong in a configuration file; `line` counts from 1. `message` says what to write instead. */
export type ConfigurationProblem = { readonly file: string; readonly line: number; readonly message: string };

/** Aliases resolved per file at most; `scopes.yml` of the source system needs a handful. */
const MAX_ALIASES = 1_000;

/**
 * One value of a YAML file, with its line. Reading a value of the wrong type notes a problem and yields undefined, so
 * one pass finds every error of a file. YAML 1.2 core schema; duplicate keys are errors; anchors are resolved, bounded.
 */
export class YamlReader {
  readonly #file: string;
  readonly #node: Node | undefined;
  readonly #path: string;
  readonly #shared: Shared;

  private constructor(file: string, node: Node | undefined, path: string, shared: Shared) {
    this.#file = file;
    this.#node = resolve(node, shared);
    this.#path = path;
    this.#shared = shared;
  }

  /** Reads a whole file; syntax errors go to `problems` and leave an empty reader. */
  static open(file: string, text: string, problems: ConfigurationProblem[]): YamlReader {
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines, version: '1.2', uniqueKeys: true });
    for (const error of document.errors) {
      const [message = 'not valid YAML'] = error.message.split('\n');
      problems.push({ file, line: lines.linePos(error.pos[0]).line, message });
    }
    const shared: Shared = {
      problems,
      aliases: 0,
      lineOf: (node) => lines.linePos(node.range?.[0] ?? 0).line,
      resolveAlias: (node) => (isAlias(node) ? (node.resolve(document) ?? undefined) : node),
    };
    const contents = document.errors.length > 0 ? undefined : (document.contents ?? undefined);
    return new YamlReader(file, contents, '', shared);
  }

  get line(): number {
    return this.#node === undefined ? 1 : this.#shared.lineOf(this.#node);
  }

  /** Where this value stands, as `file:line`. */
  get at(): string {
    return `${this.#file}:${this.line}`;
  }

  /** Is there nothing here, an explicit null, or an empty list? */
  get isEmpty(): boolean {
    if (this.#node === undefined) return true;
    return isSeq(this.#node)
      ? this.#node.items.length === 0
      : isScalar(this.#node) && this.#node.value === null;
  }

  problem(message: string): undefined {
    const where = this.#path === '' ? '' : `\`${this.#path}\`: `;
    this.#shared.problems.push({ file: this.#file, line: this.line, message: `${where}${message}` });
    return undefined;
  }

  /** The members of a map in order; an empty value has none. */
  entries(): readonly (readonly [string, YamlReader])[] {
    if (this.isEmpty) return [];
    if (!isMap(this.#node)) {
      this.problem('write a map here (`name: value` lines)');
      return [];
    }
    return this.#node.items.map(({ key, value }) => {
      const name = isScalar(key) ? String(key.value) : '';
      return [name, this.#child(isNode(value) ? value : undefined, name)];
    });
  }

  /** The members of a map with known names; any other name is a problem. */
  members<K extends string>(...known: readonly K[]): Partial<Record<K, YamlReader>> {
    const members: Partial<Record<K, YamlReader>> = {};
    for (const [name, value] of this.entries()) {
      const key = known.find((candidate) => candidate === name);
      if (key === undefined) this.problem(`unknown key \`${name}\`; known here: ${known.join(', ')}`);
      else if (!value.isEmpty) members[key] = value;
    }
    return members;
  }

  items(): readonly YamlReader[] {
    if (this.isEmpty) return [];
    if (!isSeq(this.#node)) {
      this.problem('write a list here (`- item` lines or `[a, b]`)');
      return [];
    }
    return this.#node.items.map((item, index) => this.#child(isNode(item) ? item : undefined, `[${index}]`));
  }

  string(): string | undefined {
    const value = isScalar(this.#node) ? this.#node.value : undefined;
    return typeof value === 'string' && value !== '' ? value : this.problem('write a text here');
  }

  strings(): readonly string[] {
    return this.items().flatMap((item) => item.string() ?? []);
  }

  boolean(): boolean | undefined {
    const value = isScalar(this.#node) ? this.#node.value : undefined;
    return typeof value === 'boolean' ? value : this.problem('write true or false');
  }

  oneOf<T extends string>(...allowed: readonly T[]): T | undefined {
    const value = this.string();
    if (value === undefined) return undefined;
    return (
      allowed.find((candidate) => candidate === value) ?? this.problem(`write one of: ${allowed.join(', ')}`)
    );
  }

  integer(min: number, max: number): number | undefined {
    const value = isScalar(this.#node) ? this.#node.value : undefined;
    const fits = typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max;
    return fits ? value : this.problem(`write a whole number from ${min} to ${max}`);
  }

  /** A duration as `500ms`, `5s` or `4m`, in milliseconds. */
  durationMs(minMs: number, maxMs: number): number | undefined {
    const text = isScalar(this.#node) ? String(this.#node.value) : '';
    const [, digits, unit] = /^([0-9]{1,7})(ms|s|m)$/.exec(text) ?? [];
    const durationMs = Number(digits) * (unit === 'm' ? 60_000 : unit === 's' ? 1_000 : 1);
    if (durationMs >= minMs && durationMs <= maxMs) return durationMs;
    return this.problem(`write a duration such as 5s, from ${minMs} ms to ${maxMs / 1000} s`);
  }

  #child(node: Node | undefined, name: string): YamlReader {
    const path = name.startsWith('[') || this.#path === '' ? `${this.#path}${name}` : `${this.#path}.${name}`;
    return new YamlReader(this.#file, node, path, this.#shared);
  }
}

type Shared = {
  readonly problems: ConfigurationProblem[];
  readonly lineOf: (node: Node) => number;
  readonly resolveAlias: (node: Node) => Node | undefined;
  aliases: number;
};

function resolve(node: Node | undefined, shared: Shared): Node | undefined {
  if (node === undefined || !isAlias(node)) return node;
  shared.aliases += 1;
  return shared.aliases > MAX_ALIASES ? undefined : shared.resolveAlias(node);
}
