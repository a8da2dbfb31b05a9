import { type Json, toArray, toObject } from '../json.ts';
import type { Template } from '../template.ts';

/** A role of the template: who may take it on, and what it may do. */
export type Role = { readonly arn: string; readonly trust: Json; readonly policies: readonly Json[] };

/** The roles of a template with the policies that are attached to them in it, inline or as resources of their own. */
export class Roles {
  readonly #byArn = new Map<string, Role>();
  readonly #arnOfFunction = new Map<string, string>();

  constructor(template: Template) {
    const attached = template.ofType('AWS::IAM::Policy').map(({ properties }) => ({
      roles: toArray(template.resolve(properties['Roles'] ?? [])).map(String),
      document: template.resolve(properties['PolicyDocument'] ?? null),
    }));
    for (const { logicalId, properties } of template.ofType('AWS::IAM::Role')) {
      const name = template.ref(logicalId);
      const inline = toArray(template.resolve(properties['Policies'] ?? [])).map(
        (policy) => toObject(policy)['PolicyDocument'] ?? null,
      );
      const arn = template.attribute(logicalId, 'Arn');
      this.#byArn.set(arn, {
        arn,
        trust: template.resolve(properties['AssumeRolePolicyDocument'] ?? null),
        policies: [
          ...inline,
          ...attached.filter(({ roles }) => roles.includes(name)).map(({ document }) => document),
        ],
      });
    }
    for (const { logicalId, properties } of template.ofType('AWS::Lambda::Function')) {
      const arn = template.text(properties['Role']);
      if (arn !== undefined) this.#arnOfFunction.set(logicalId, arn);
    }
  }

  /** The role of that ARN. */
  find(arn: string): Role | undefined {
    return this.#byArn.get(arn);
  }

  /** The role that a function runs as, by the function's logical id. */
  ofFunction(logicalId: string): Role | undefined {
    return this.find(this.#arnOfFunction.get(logicalId) ?? '');
  }
}
