import { lineCounter } from './line-counter.ts';
import { parseYaml } from './yaml-events.ts';
import type { YamlNode } from './yaml-node.ts';
import { buildYaml } from './yaml-tree.ts';

/** A YAML file that was parsed and may be read. */
export type YamlDocument = {
  /** Undefined for an empty file, and for one with any error. */
  readonly contents: YamlNode | undefined;
  /** The line of a node, from 1. */
  readonly lineOf: (node: YamlNode) => number;
};

/** Of one file; what is wrong beyond these is one number. */
const MAX_PROBLEMS = 50;

type Report = (line: number, message: string) => void;

/**
 * Parses a YAML file (1.2 core schema) and reports the first syntax error, or whatever else is wrong with the file before its values are read
 * ({@link buildYaml}): the first 50, and how many more there are. Values nest 64 deep at most.
 */
export function openYaml(text: string, report: Report): YamlDocument {
  const lineAt = lineCounter(text);
  const lineOf = ({ offset }: YamlNode) => lineAt(offset);
  const parsed = parseYaml(text);
  if (!parsed.ok) {
    report(parsed.error.line, parsed.error.message);
    return { contents: undefined, lineOf };
  }
  let count = 0;
  let lineBeyond = 0;
  const contents = buildYaml(text, parsed.value, (offset, message) => {
    count += 1;
    if (count <= MAX_PROBLEMS) report(lineAt(offset), message);
    else if (count === MAX_PROBLEMS + 1) lineBeyond = lineAt(offset);
  });
  const more = count - MAX_PROBLEMS;
  if (more > 0) report(lineBeyond, `there are ${more} more problems from here on`);
  return { contents: count === 0 ? contents : undefined, lineOf };
}
