import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json, JsonObject } from './json.ts';
import { isArray, isObject, parseJson, toArray, toObject, toText } from './json.ts';
import type { PhysicalName } from './physical-name.ts';
import { ACCOUNT_ID, nameResource, REGION } from './physical-name.ts';

/** One resource of the template, its properties unresolved. */
export type Resource = {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: JsonObject;
  readonly metadata: JsonObject;
};

const PSEUDO_PARAMETERS: Readonly<Record<string, string>> = {
  'AWS::AccountId': ACCOUNT_ID,
  'AWS::Partition': 'aws',
  'AWS::Region': REGION,
  'AWS::URLSuffix': 'amazonaws.com',
};

/**
 * The stack of a cloud assembly that has the REST API, with its intrinsic functions answered from physical names.
 * Understands Ref, Fn::GetAtt, Fn::Join, Fn::Sub, Fn::Split and Fn::Select; any other one throws when it is resolved.
 */
export class Template {
  readonly stackName: string;
  readonly #assemblyDir: string;
  readonly #assets: JsonObject;
  readonly #parameters: JsonObject;
  readonly #resources = new Map<string, Resource>();
  readonly #names = new Map<string, PhysicalName>();

  private constructor(assemblyDir: string, stackName: string, template: JsonObject, assets: JsonObject) {
    this.#assemblyDir = assemblyDir;
    this.stackName = stackName;
    this.#assets = assets;
    this.#parameters = toObject(template['Parameters']);
    for (const [logicalId, value] of Object.entries(toObject(template['Resources']))) {
      const resource = toObject(value);
      this.#resources.set(logicalId, {
        logicalId,
        type: toText(resource['Type']) ?? '',
        properties: toObject(resource['Properties']),
        metadata: toObject(resource['Metadata']),
      });
    }
  }

  /**
   * Reads `manifest.json` of a cloud assembly and the template that it names.
   * @throws Error where it has no stack with a REST API, or more than one
   */
  static read(assemblyDir: string): Template {
    const readObject = (file: string) => toObject(parseJson(readFileSync(join(assemblyDir, file), 'utf8')));
    const artifacts = Object.entries(toObject(readObject('manifest.json')['artifacts']));
    const stacks = artifacts.flatMap(([id, value]) => {
      const artifact = toObject(value);
      const file = toText(toObject(artifact['properties'])['templateFile']);
      if (artifact['type'] !== 'aws:cloudformation:stack' || file === undefined) return [];
      const template = readObject(file);
      const hasApi = Object.values(toObject(template['Resources'])).some(
        (resource) => toObject(resource)['Type'] === 'AWS::ApiGateway::RestApi',
      );
      const name = toText(toObject(artifact['properties'])['stackName']) ?? id;
      return hasApi ? [{ id, name, template }] : [];
    });
    const [stack, ...others] = stacks;
    if (stack === undefined || others.length > 0) {
      throw new Error(`expected one stack with a REST API in \`${assemblyDir}\`, found ${stacks.length}`);
    }
    const manifest = artifacts.find(([id, value]) => {
      return id === `${stack.id}.assets` && toObject(value)['type'] === 'cdk:asset-manifest';
    });
    const file = toText(toObject(toObject(manifest?.[1])['properties'])['file']);
    const assets = file === undefined ? {} : toObject(readObject(file)['files']);
    return new Template(assemblyDir, stack.name, stack.template, assets);
  }

  /** Every resource of one of the types, in the template's order. */
  ofType(...types: string[]): Resource[] {
    return [...this.#resources.values()].filter((resource) => types.includes(resource.type));
  }

  /** What `Ref` of a resource answers. @throws Error where there is no such resource */
  ref(logicalId: string): string {
    return this.#name(logicalId).ref;
  }

  /** What `Fn::GetAtt` of a resource answers. @throws Error where there is no such resource */
  attribute(logicalId: string, attribute: string): string {
    return this.#name(logicalId).attributes[attribute] ?? `${logicalId}.${attribute}`;
  }

  /** The logical id of the resource of a type whose `Ref` or attribute `Arn` it is. */
  logicalIdOf(type: string, refOrArn: string): string | undefined {
    return this.ofType(type).find(({ logicalId }) => {
      return this.ref(logicalId) === refOrArn || this.attribute(logicalId, 'Arn') === refOrArn;
    })?.logicalId;
  }

  /** The value with every intrinsic function in it answered; a member that is `AWS::NoValue` is left out. */
  resolve(value: Json): Json {
    return this.#resolve(value) ?? null;
  }

  /** The resolved value as text; `undefined` where it is absent or no scalar. */
  text(value: Json | undefined): string | undefined {
    const resolved = value === undefined ? undefined : this.#resolve(value);
    return typeof resolved === 'string' || typeof resolved === 'number' || typeof resolved === 'boolean'
      ? String(resolved)
      : undefined;
  }

  /** Directory of the asset that a function was built into. @throws Error where the assembly has none */
  assetDirectory(resource: Resource): string {
    const key = this.text(toObject(resource.properties['Code'])['S3Key']) ?? '';
    const asset = toObject(this.#assets[key.replace(/\.zip$/, '')]);
    const path =
      toText(resource.metadata['aws:asset:path']) ?? toText(toObject(asset['source'])['path']) ?? undefined;
    if (path === undefined)
      throw new Error(`no asset in the assembly for function \`${resource.logicalId}\``);
    return join(this.#assemblyDir, path);
  }

  #name(logicalId: string): PhysicalName {
    const known = this.#names.get(logicalId);
    if (known !== undefined) return known;
    const resource = this.#resources.get(logicalId);
    if (resource === undefined) throw new Error(`the template has no resource \`${logicalId}\``);
    const name = nameResource(this.stackName, resource, (property) =>
      this.text(resource.properties[property]),
    );
    this.#names.set(logicalId, name);
    return name;
  }

  #resolve(value: Json): Json | undefined {
    if (isArray(value)) return value.map((item) => this.#resolve(item)).filter((item) => item !== undefined);
    if (!isObject(value)) return value;
    const [first, ...rest] = Object.entries(value);
    if (first !== undefined && rest.length === 0 && (first[0] === 'Ref' || first[0].startsWith('Fn::'))) {
      return this.#intrinsic(first[0], first[1] ?? null);
    }
    const resolved: Record<string, Json> = {};
    for (const [name, member] of Object.entries(value)) {
      const answer = member === undefined ? undefined : this.#resolve(member);
      if (answer !== undefined) resolved[name] = answer;
    }
    return resolved;
  }

  #intrinsic(name: string, argument: Json): Json | undefined {
    switch (name) {
      case 'Ref':
        return argument === 'AWS::NoValue' ? undefined : this.#reference(String(argument));
      case 'Fn::GetAtt': {
        const [id, ...attribute] = isArray(argument) ? argument.map(String) : String(argument).split('.');
        return this.attribute(id ?? '', attribute.join('.'));
      }
      case 'Fn::Join': {
        const [separator, items] = toArray(argument);
        return toArray(this.resolve(items ?? null))
          .map(String)
          .join(String(separator));
      }
      case 'Fn::Split': {
        const [separator, text] = toArray(argument);
        return (this.text(text) ?? '').split(String(separator));
      }
      case 'Fn::Select': {
        const [index, items] = toArray(argument);
        return toArray(this.resolve(items ?? null))[Number(this.text(index))] ?? null;
      }
      case 'Fn::Sub':
        return this.#substitute(argument);
      default:
        throw new Error(`the intrinsic function \`${name}\` is not understood`);
    }
  }

  #substitute(argument: Json): string {
    const [format, variables] = isArray(argument) ? argument : [argument];
    const given = toObject(variables);
    return String(format).replace(/\$\{([^}]+)\}/g, (_, name: string) => {
      if (name.startsWith('!')) return `\${${name.slice(1)}}`;
      const value = given[name];
      if (value !== undefined) return this.text(value) ?? '';
      const [id, ...attribute] = name.split('.');
      return attribute.length > 0 && id !== undefined
        ? this.attribute(id, attribute.join('.'))
        : this.#reference(name);
    });
  }

  #reference(name: string): string {
    if (name === 'AWS::StackName') return this.stackName;
    const pseudo = PSEUDO_PARAMETERS[name];
    if (pseudo !== undefined) return pseudo;
    const parameter = this.#parameters[name];
    return parameter === undefined ? this.ref(name) : (this.text(toObject(parameter)['Default']) ?? '');
  }
}
