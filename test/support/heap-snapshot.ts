import { readFileSync } from 'node:fs';

/** A string on the heap, and what holds it: the names of the objects' constructors. */
export type HeapString = { readonly text: string; readonly holders: readonly string[] };

type Snapshot = {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly node_types: readonly [readonly string[], ...unknown[]];
      readonly edge_fields: readonly string[];
      readonly edge_types: readonly [readonly string[], ...unknown[]];
    };
  };
  readonly nodes: readonly number[];
  readonly edges: readonly number[];
  readonly strings: readonly string[];
};

/** The strings of a V8 heap snapshot for which `matches` holds. Bytes outside the heap, as those of buffers, are none of them. */
export function readHeapStrings(file: string, matches: (text: string) => boolean): readonly HeapString[] {
  const { snapshot, nodes, edges, strings }: Snapshot = JSON.parse(readFileSync(file, 'utf8'));
  const { node_fields: nodeFields, edge_fields: edgeFields } = snapshot.meta;
  const [nodeTypes] = snapshot.meta.node_types;
  const [edgeTypes] = snapshot.meta.edge_types;
  const nodeAt = (node: number, field: string) => nodes[node + nodeFields.indexOf(field)] ?? 0;
  const nameOf = (node: number) => strings[nodeAt(node, 'name')] ?? '';
  const found = new Map<number, Set<string>>();
  for (let node = 0; node < nodes.length; node += nodeFields.length) {
    const isString = nodeTypes[nodeAt(node, 'type')]?.endsWith('string') === true;
    if (isString && matches(nameOf(node))) found.set(node, new Set());
  }
  let edge = 0;
  for (let node = 0; node < nodes.length; node += nodeFields.length) {
    const end = edge + nodeAt(node, 'edge_count') * edgeFields.length;
    for (; edge < end; edge += edgeFields.length) {
      if (edgeTypes[edges[edge] ?? 0] === 'weak') continue;
      found.get(edges[edge + edgeFields.indexOf('to_node')] ?? -1)?.add(nameOf(node));
    }
  }
  return Array.from(found, ([node, holders]) => ({ text: nameOf(node), holders: [...holders] }));
}
