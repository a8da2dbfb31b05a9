import { openYaml, type YamlDocument } from './yaml-document.ts';
import { keyName, toValue, type YamlNode, type YamlScalar, type YamlValue } from './yaml-node.ts';

/** Something wrong in a configuration file; `line` counts from 1. `message` says what to write instead. */
export type ConfigurationProblem = { readonly file: string; readonly line: number; readonly message: string };

/** Values read by way of aliases, per file at most; `scopes.yml` of the source system needs some hundred. */
const MAX_ALIASED_VALUES = 100_000;

const JSON_NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const MAX_DIGITS = 100;

/**
 * One value of a YAML file, with its line. Reading a value of the wrong type notes a problem and yields undefined, so
 * one pass finds every error of a file. YAML 1.2 core schema; duplicate keys are errors; anchors are resolved, bounded.
 * A file with an error in its syntax, a repeated key or an alias without an anchor reads as empty.
 */
export class YamlReader {
  /** What stands here; of an alias, what it stands for. */
  readonly #node: YamlValue | undefined;
  readonly #place: Place;
  readonly #isAliased: boolean;
  readonly #shared: Shared;

  private constructor(node: YamlNode | undefined, place: Place, shared: Shared) {
    this.#node = node && toValue(node);
    this.#place = place;
    this.#isAliased = place.isAliased || node?.kind === 'alias';
    this.#shared = shared;
  }

  /** Reads a whole file; syntax errors go to `problems` and leave an empty reader. */
  static open(file: string, text: string, problems: ConfigurationProblem[]): YamlReader {
    const document = openYaml(text, (line, message) => problems.push({ file, line, message }));
    const { contents } = document;
    const place = { parent: undefined, step: '', node: contents, isAliased: false };
    return new YamlReader(contents, place, { file, problems, document, aliasedValues: 0 });
  }

  /** Where the value's key stands, or the value itself in a list; 1 for an empty file. */
  get line(): number {
    const { node, parent } = this.#place;
    return node === undefined ? (parent?.line ?? 1) : this.#shared.document.lineOf(node);
  }

  /** The way from the file's beginning to this value; put together when it is asked for, because few are. */
  get #path(): string {
    const { parent, step } = this.#place;
    const before = parent === undefined ? '' : parent.#path;
    if (typeof step === 'number') return `${before}[${step}]`;
    return before === '' ? step : `${before}.${step}`;
  }

  /** Where this value stands, as `file:line`. */
  get at(): string {
    return `${this.#shared.file}:${this.line}`;
  }

  /** Is there nothing here, an explicit null, or an empty list? */
  get isEmpty(): boolean {
    if (this.#node === undefined) return true;
    return this.#node.kind === 'list' ? this.#node.items.length === 0 : this.#value === null;
  }

  /** What stands here; nothing, and an explicit null, are scalars. */
  get kind(): 'map' | 'list' | 'scalar' {
    return this.#node?.kind ?? 'scalar';
  }

  problem(message: string): undefined {
    return this.#report(this.line, message);
  }

  /** Notes what is valid and what its author should look at. */
  warn(message: string, warnings: ConfigurationProblem[]): void {
    warnings.push({ file: this.#shared.file, line: this.line, message });
  }

  /** The members of a map in order; an empty value has none. */
  entries(): readonly (readonly [string, YamlReader])[] {
    if (this.isEmpty) return [];
    if (this.#node?.kind !== 'map') {
      this.problem('write a map here (`name: value` lines)');
      return [];
    }
    return this.#affordable(this.#node.entries).map(({ key, value }) => {
      const name = keyName(key);
      return [name, this.#child(value, name, key)];
    });
  }

  /**
   * The members of a map with known names; any other name is a problem. A name without a value is a member that holds
   * nothing, not an absent one: `org:` must not mean every organisation.
   */
  members<K extends string>(...known: readonly K[]): Partial<Record<K, YamlReader>> {
    const members: Partial<Record<K, YamlReader>> = {};
    for (const [name, value] of this.entries()) {
      const key = known.find((candidate) => candidate === name);
      if (key === undefined)
        this.#report(value.line, `unknown key \`${name}\`; known here: ${known.join(', ')}`);
      else members[key] = value;
    }
    return members;
  }

  items(): readonly YamlReader[] {
    return this.#listed().map((item, index) => this.#child(item, index, item));
  }

  string(): string | undefined {
    const value = this.#value;
    return typeof value === 'string' && value !== '' ? value : this.problem('write a text here');
  }

  strings(): readonly string[] {
    return this.#listed().flatMap((item, index) => {
      // Most of a file is lists of texts.
      if (item.kind === 'scalar' && typeof item.value === 'string' && item.value !== '') return item.value;
      return this.#child(item, index, item).string() ?? [];
    });
  }

  /** Every text at or below this value, as it stands. Reports nothing of what is none. */
  texts(): readonly string[] {
    if (typeof this.#value === 'string') return [this.#value];
    if (this.#node?.kind === 'list') return this.items().flatMap((item) => item.texts());
    return this.#node?.kind === 'map' ? this.entries().flatMap(([, value]) => value.texts()) : [];
  }

  boolean(): boolean | undefined {
    const value = this.#value;
    return typeof value === 'boolean' ? value : this.problem('write true or false');
  }

  /** A scalar as a JSON text; a number in the digits in which it is written. */
  json(): string | undefined {
    const value = this.#value;
    if (typeof value === 'number') return this.number();
    const isJson = value === null || typeof value === 'boolean' || typeof value === 'string';
    return isJson ? JSON.stringify(value) : this.problem('write a text, a number, true, false or null here');
  }

  /** A number of JSON (RFC 8259 §6), in the digits in which it is written. */
  number(): string | undefined {
    const source = this.#node?.kind === 'scalar' ? this.#node.source : '';
    const isNumber =
      typeof this.#value === 'number' && JSON_NUMBER.test(source) && source.length <= MAX_DIGITS;
    return isNumber ? source : this.problem('write a number here, such as 100 or 0.5');
  }

  oneOf<T extends string>(...allowed: readonly T[]): T | undefined {
    const value = this.string();
    if (value === undefined) return undefined;
    return (
      allowed.find((candidate) => candidate === value) ?? this.problem(`write one of: ${allowed.join(', ')}`)
    );
  }

  integer(min: number, max: number): number | undefined {
    const value = this.#value;
    const fits = typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max;
    return fits ? value : this.problem(`write a whole number from ${min} to ${max}`);
  }

  /** A duration as `500ms`, `5s` or `4m`, in milliseconds. */
  durationMs(minMs: number, maxMs: number): number | undefined {
    const text = String(this.#value);
    const [, digits, unit] = /^([0-9]{1,7})(ms|s|m)$/.exec(text) ?? [];
    const durationMs = Number(digits) * (unit === 'm' ? 60_000 : unit === 's' ? 1_000 : 1);
    if (durationMs >= minMs && durationMs <= maxMs) return durationMs;
    return this.problem(`write a duration such as 5s, from ${minMs} ms to ${maxMs / 1000} s`);
  }

  get #value(): YamlScalar['value'] | undefined {
    return this.#node?.kind === 'scalar' ? this.#node.value : undefined;
  }

  /** The items, or a problem and none of them where aliases have multiplied the file beyond its bound. */
  #affordable<T>(items: readonly T[]): readonly T[] {
    if (!this.#isAliased) return items;
    const isFirst = this.#shared.aliasedValues <= MAX_ALIASED_VALUES;
    this.#shared.aliasedValues += items.length;
    if (this.#shared.aliasedValues <= MAX_ALIASED_VALUES) return items;
    if (isFirst) this.problem(`aliases stand for more than ${MAX_ALIASED_VALUES} values in this file`);
    return [];
  }

  #listed(): readonly YamlNode[] {
    if (this.isEmpty) return [];
    if (this.#node?.kind === 'list') return this.#affordable(this.#node.items);
    this.problem('write a list here (`- item` lines or `[a, b]`)');
    return [];
  }

  #child(node: YamlNode, step: string | number, at: YamlNode): YamlReader {
    const place = { parent: this, step, node: at, isAliased: this.#isAliased };
    return new YamlReader(node, place, this.#shared);
  }

  #report(line: number, message: string): undefined {
    const path = this.#path;
    const where = path === '' ? '' : `\`${path}\`: `;
    this.#shared.problems.push({ file: this.#shared.file, line, message: `${where}${message}` });
    return undefined;
  }
}

/** Where a value stands: under which name or number of what, and the node whose line is its own; the parent's where there is none. */
type Place = {
  readonly parent: YamlReader | undefined;
  readonly step: string | number;
  readonly node: YamlNode | undefined;
  readonly isAliased: boolean;
};

type Shared = {
  readonly file: string;
  readonly problems: ConfigurationProblem[];
  readonly document: YamlDocument;
  aliasedValues: number;
};
