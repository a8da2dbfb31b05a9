/** A text, a number, a boolean or nothing. */
export type YamlScalar = {
  readonly kind: 'scalar';
  /** Where it stands in the file, in UTF-16 units; where nothing is written, what stands before it ends there. */
  readonly offset: number;
  /** As it is written: `007` is not `7`. Without its quotes and with its escapes resolved. Empty where nothing is written. */
  readonly source: string;
  /** As YAML 1.2 reads it (core schema, §10.3). */
  readonly value: string | number | boolean | null;
};

/** A list of values. */
export type YamlList = {
  readonly kind: 'list';
  readonly offset: number;
  readonly items: readonly YamlNode[];
};

/** A map, in the order in which it is written. */
export type YamlMap = {
  readonly kind: 'map';
  readonly offset: number;
  readonly entries: readonly YamlEntry[];
};

/** One key of a map with its value. */
export type YamlEntry = { readonly key: YamlNode; readonly value: YamlNode };

/** Stands for what was last anchored under its name above, which does not hold it. */
export type YamlAlias = { readonly kind: 'alias'; readonly offset: number; readonly target: YamlValue };

/** A value of a YAML file. */
export type YamlValue = YamlScalar | YamlList | YamlMap;

/** What is written for a value: itself, or an alias. */
export type YamlNode = YamlValue | YamlAlias;

/** The value that is written, or that an alias stands for. */
export function toValue(node: YamlNode): YamlValue {
  return node.kind === 'alias' ? node.target : node;
}

/** A key as it is written. Empty for a key that is no scalar. */
export function keyName(key: YamlNode): string {
  return key.kind === 'scalar' ? key.source : '';
}
