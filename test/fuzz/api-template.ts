import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROUTES } from '../../infra/routes.ts';
import { Template } from '../../local/template.ts';

const API = { Ref: 'Api' };

/** The API of the route table as a synthesized template has it, without a synthesis: resources and methods, no functions. */
export function readApiTemplate(): Template {
  const resources: Record<string, unknown> = { Api: { Type: 'AWS::ApiGateway::RestApi', Properties: {} } };
  const ids = new Map<string, unknown>([['', { 'Fn::GetAtt': ['Api', 'RootResourceId'] }]]);
  const add = (type: string, properties: object): string => {
    const logicalId = `R${Object.keys(resources).length}`;
    resources[logicalId] = {
      Type: `AWS::ApiGateway::${type}`,
      Properties: { RestApiId: API, ...properties },
    };
    return logicalId;
  };
  for (const { path, methods, access } of ROUTES) {
    const segments = path.slice(1).split('/');
    for (const depth of segments.keys()) {
      const here = segments.slice(0, depth + 1).join('/');
      if (ids.has(here)) continue;
      const ParentId = ids.get(segments.slice(0, depth).join('/'));
      ids.set(here, { Ref: add('Resource', { ParentId, PathPart: segments[depth] }) });
    }
    for (const HttpMethod of methods) {
      const AuthorizationType = access === 'token' ? 'CUSTOM' : 'NONE';
      const authorizer = access === 'token' ? { AuthorizerId: { Ref: 'Authorizer' } } : {};
      const ResourceId = ids.get(path.slice(1));
      add('Method', {
        ResourceId,
        HttpMethod,
        AuthorizationType,
        ...authorizer,
        Integration: { Type: 'AWS_PROXY' },
      });
    }
  }
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-fuzz-'));
  try {
    const properties = { templateFile: 'template.json' };
    const artifacts = { Stack: { type: 'aws:cloudformation:stack', properties } };
    writeFileSync(join(directory, 'manifest.json'), JSON.stringify({ artifacts }));
    writeFileSync(join(directory, 'template.json'), JSON.stringify({ Resources: resources }));
    return Template.read(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
