import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { SallyportStack } from '../../infra/stack.ts';

/** The template of the stack under some context, without running the bundler. */
export function synthesize(context: Record<string, unknown> = {}): Template {
  const outdir = mkdtempSync(join(tmpdir(), 'sallyport-template-'));
  try {
    const app = new App({
      outdir,
      context: { ...cdkJson.context, 'aws:cdk:bundling-stacks': [], ...context },
    });
    return Template.fromStack(new SallyportStack(app, 'Sallyport'));
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

/** Every resource of one type, with its logical id. */
export function resources(template: Template, type: string) {
  return Object.entries(template.findResources(type)).map(([id, resource]) => ({
    id,
    properties: resource['Properties'],
    resource,
  }));
}

/** A method of the API with the path that it is at. */
export type ApiMethod = {
  readonly route: string;
  readonly properties: ReturnType<typeof resources>[number]['properties'];
};

/** Every method of the template as `POST /oauth/token`, walked from the resources and not from the route table. */
export function apiMethods(template: Template): ApiMethod[] {
  const parts = new Map(
    resources(template, 'AWS::ApiGateway::Resource').map(({ id, properties }) => [
      id,
      { parent: properties.ParentId.Ref, part: properties.PathPart },
    ]),
  );
  const toPath = (id: string | undefined): string => {
    const found = id === undefined ? undefined : parts.get(id);
    return found === undefined ? '' : `${toPath(found.parent)}/${found.part}`;
  };
  return resources(template, 'AWS::ApiGateway::Method').map(({ properties }) => ({
    route: `${properties.HttpMethod} ${toPath(properties.ResourceId.Ref)}`,
    properties,
  }));
}

/** Prints a value of the template with its references by name: `{AuthTable.Arn}` without the hash of the logical id. */
export function render(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(render).join('');
  if (typeof value !== 'object' || value === null) return String(value);
  const [[key, argument] = ['', undefined]] = Object.entries(value);
  if (key === 'Ref') return `{${withoutHash(String(argument))}}`;
  if (key === 'Fn::GetAtt' && Array.isArray(argument)) {
    return `{${withoutHash(String(argument[0]))}.${argument[1]}}`;
  }
  if (key === 'Fn::Join' && Array.isArray(argument)) return render(argument[1]);
  return JSON.stringify(value);
}

function withoutHash(logicalId: string): string {
  return logicalId.replace(/[0-9A-F]{8}$/, '');
}
