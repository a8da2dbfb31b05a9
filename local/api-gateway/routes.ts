import type { JsonObject } from '../json.ts';
import { toArray, toObject, toText } from '../json.ts';
import type { Resource, Template } from '../template.ts';

/** A method of the API on one resource. */
export type Route = {
  readonly resourceId: string;
  /** The resource's path as the API declares it, such as `/{server}/mcp`. */
  readonly resourcePath: string;
  /** Logical id of the method's authorizer, where it has one. */
  readonly authorizerId: string | undefined;
  /** The method's `Integration`, resolved. */
  readonly integration: JsonObject;
};

/** The route of a request, with its path parameters decoded once. */
export type RouteMatch = { readonly route: Route; readonly pathParameters: Readonly<Record<string, string>> };

/** What `ANY` stands for; API Gateway knows no other method. */
const OF_ANY: ReadonlySet<string> = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']);

type Node = {
  readonly statics: Map<string, Node>;
  readonly methods: Map<string, Route>;
  variable: { readonly name: string; readonly node: Node } | undefined;
  greedy: { readonly name: string; readonly node: Node } | undefined;
};

/**
 * The routes of the API. Segments are compared exactly, after one decoding; a static segment goes before `{name}`, and that
 * before `{name+}`, which takes one segment or more.
 */
export class RouteTable {
  readonly #root = createNode();

  constructor(template: Template, apiId: string) {
    const resources = new Map(
      template.ofType('AWS::ApiGateway::Resource').map((one) => [one.logicalId, one]),
    );
    const rootId = template.attribute(apiId, 'RootResourceId');
    for (const method of template.ofType('AWS::ApiGateway::Method')) {
      const resourceId = template.text(method.properties['ResourceId']) ?? '';
      const segments = resourceId === rootId ? [] : segmentsOf(template, resources, resourceId);
      const authorizer = toObject(method.properties['AuthorizerId'])['Ref'];
      const isCustom = template.text(method.properties['AuthorizationType']) === 'CUSTOM';
      this.#node(segments).methods.set(template.text(method.properties['HttpMethod']) ?? '', {
        resourceId,
        resourcePath: `/${segments.join('/')}`,
        authorizerId: isCustom ? toText(authorizer) : undefined,
        integration: toObject(template.resolve(method.properties['Integration'] ?? null)),
      });
    }
  }

  /**
   * The route of a method and a path. `undefined`: there is none, or the path has an empty or dot segment, `;`, a backslash
   * or an encoded slash; what different parsers could read differently is no route.
   * @throws URIError where the percent-encoding is broken
   */
  match(method: string, path: string): RouteMatch | undefined {
    if (!path.startsWith('/') || /[;\\]|%2f|%5c|%3b|%00/i.test(path)) return undefined;
    const segments = path === '/' ? [] : path.slice(1).split('/').map(decodeURIComponent);
    // A path may end in `/` below a greedy parameter alone, which keeps it.
    const hasGap = segments.slice(0, -1).includes('') || segments.some((one) => one === '.' || one === '..');
    if (hasGap) return undefined;
    const found = find(this.#root, segments, {});
    const any = OF_ANY.has(method) ? 'ANY' : '';
    const route = found?.node.methods.get(method) ?? found?.node.methods.get(any);
    return found && route && { route, pathParameters: found.pathParameters };
  }

  #node(segments: readonly string[]): Node {
    let node = this.#root;
    for (const segment of segments) {
      const name = /^\{(.+?)(\+?)\}$/.exec(segment);
      if (name?.[1] === undefined) {
        const next = node.statics.get(segment) ?? createNode();
        node.statics.set(segment, next);
        node = next;
      } else if (name[2] === '+') {
        node.greedy ??= { name: name[1], node: createNode() };
        node = node.greedy.node;
      } else {
        node.variable ??= { name: name[1], node: createNode() };
        node = node.variable.node;
      }
    }
    return node;
  }
}

function find(
  node: Node,
  segments: readonly string[],
  pathParameters: Record<string, string>,
): { node: Node; pathParameters: Record<string, string> } | undefined {
  const [segment, ...rest] = segments;
  if (segment === undefined) return node.methods.size > 0 ? { node, pathParameters } : undefined;
  const fixed = node.statics.get(segment);
  const inStatic = fixed && find(fixed, rest, pathParameters);
  if (inStatic) return inStatic;
  const { variable, greedy } = node;
  const inVariable =
    variable && segment !== ''
      ? find(variable.node, rest, { ...pathParameters, [variable.name]: segment })
      : undefined;
  if (inVariable) return inVariable;
  if (greedy === undefined || segment === '') return undefined;
  return { node: greedy.node, pathParameters: { ...pathParameters, [greedy.name]: segments.join('/') } };
}

function segmentsOf(template: Template, resources: Map<string, Resource>, resourceId: string): string[] {
  const segments: string[] = [];
  let resource = resources.get(resourceId);
  while (resource !== undefined) {
    segments.unshift(template.text(resource.properties['PathPart']) ?? '');
    resource = resources.get(template.text(resource.properties['ParentId']) ?? '');
  }
  return segments;
}

function createNode(): Node {
  return { statics: new Map(), methods: new Map(), variable: undefined, greedy: undefined };
}

/** The media types that the API passes on as bytes. */
export function binaryMediaTypes(template: Template, apiId: string): string[] {
  const api = template.ofType('AWS::ApiGateway::RestApi').find(({ logicalId }) => logicalId === apiId);
  return toArray(template.resolve(api?.properties['BinaryMediaTypes'] ?? null)).map(String);
}
