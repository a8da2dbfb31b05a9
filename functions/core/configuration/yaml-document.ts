import {
  type Alias,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import { composeYaml, lineOfDepth, MAX_DEPTH } from './yaml-depth.ts';

/** A YAML file that was parsed and may be read. */
export type YamlDocument = {
  /** Undefined for an empty file, and for one with any error. */
  readonly contents: Node | undefined;
  /** The line of a node, from 1. */
  readonly lineOf: (node: Node) => number;
  /** The node that an alias stands for. */
  readonly targetOf: (alias: Alias) => Node | undefined;
};

/** The library's own check of keys is quadratic in the size of a map. */
const OPTIONS = { version: '1.2', uniqueKeys: false } as const;

/** Of one file; what is wrong beyond these is one number. */
const MAX_PROBLEMS = 50;

type Report = (line: number, message: string) => void;

/**
 * Parses a YAML file (1.2 core schema) and reports every syntax error, key that is written twice in one map, alias
 * without an anchor, and value that is nested more than 64 deep: the first 50 of them, and how many more there are. Keys are compared as they
 * are written, so `1` and `"1"` are one key.
 */
export function openYaml(text: string, report: Report): YamlDocument {
  const bounded = new BoundedReport(report);
  const document = readYaml(text, bounded.report);
  bounded.end();
  return document;
}

function readYaml(text: string, report: Report): YamlDocument {
  const lines = new LineCounter();
  const lineAt = (offset: number) => lines.linePos(offset).line;
  const lineOf = (node: Node) => lineAt(Number(node.range?.[0]));
  const refused = { contents: undefined, lineOf, targetOf: () => undefined };
  const composed = composeYaml(text, OPTIONS, lines);
  if (composed === 'too_deep') {
    report(lineOfDepth(text), `values nest ${MAX_DEPTH} deep at most`);
    return refused;
  }
  if (composed === 'has_errors') {
    // Whoever wrote it is told what the library says of a file in words, which takes a second look. A counter counts one parser's lines.
    const lineCounter = new LineCounter();
    for (const error of parseDocument(text, { ...OPTIONS, lineCounter, prettyErrors: false }).errors) {
      const [message = 'not valid YAML'] = error.message.split('\n');
      report(lineCounter.linePos(error.pos[0]).line, message);
    }
    return refused;
  }
  const targets = new Map<Alias, Node>();

  const anchors = new Map<string, Node>();
  let isSound = true;
  const refuse = (line: number, message: string) => {
    isSound = false;
    report(line, message);
  };
  const look = (node: unknown, depth: number): void => {
    if (!isNode(node)) return;
    if (depth > MAX_DEPTH) {
      refuse(lineOf(node), `values nest ${MAX_DEPTH} deep at most`);
      return;
    }
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (target === undefined) refuse(lineOf(node), `there is no anchor \`&${node.source}\` above`);
      else targets.set(node, target);
      return;
    }
    if (node.anchor !== undefined) anchors.set(node.anchor, node);
    if (isMap(node)) {
      for (const key of repeatedKeys(node)) refuse(lineOf(key), `the key \`${keyName(key)}\` is repeated`);
      for (const { key, value } of node.items) {
        look(key, depth + 1);
        look(value, depth + 1);
      }
    } else if (isSeq(node)) for (const item of node.items) look(item, depth + 1);
  };
  look(composed.contents, 0);
  return {
    contents: isSound ? (composed.contents ?? undefined) : undefined,
    lineOf,
    targetOf: (alias) => targets.get(alias),
  };
}

/** Passes on so many problems, and counts the others. */
class BoundedReport {
  readonly #report: Report;
  #count = 0;
  /** Of the first that was not passed on. */
  #line = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  readonly report: Report = (line, message) => {
    this.#count += 1;
    if (this.#count <= MAX_PROBLEMS) this.#report(line, message);
    else if (this.#count === MAX_PROBLEMS + 1) this.#line = line;
  };

  end(): void {
    const more = this.#count - MAX_PROBLEMS;
    if (more > 0) this.#report(this.#line, `there are ${more} more problems from here on`);
  }
}

/** A key as it is written: `007` is not `7`. Empty for a key that is no scalar. */
export function keyName(key: unknown): string {
  return isScalar(key) ? String(key.source) : '';
}

function repeatedKeys(map: YAMLMap): readonly Node[] {
  const seen = new Set<string>();
  return map.items.flatMap(({ key }) => {
    if (!isScalar(key)) return [];
    const name = keyName(key);
    const isRepeated = seen.has(name);
    seen.add(name);
    return isRepeated ? [key] : [];
  });
}
