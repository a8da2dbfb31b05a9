import { render, resources, synthesize } from './synthesized.ts';

/** One statement of a policy document. */
export type Statement = {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Principal?: { readonly AWS?: unknown; readonly Service?: unknown };
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

/** The template that the rights are read from. */
export const template = synthesize();

/** Everything that the template lets a role do, one entry per action and resource, by the name of the role. */
export const grants = resources(template, 'AWS::IAM::Policy').flatMap(({ properties }) => {
  const statements: Statement[] = properties.PolicyDocument.Statement;
  return statements.flatMap((statement) =>
    listOf(statement.Action).flatMap((action) =>
      listOf(statement.Resource).map((resource) => ({
        role: render(properties.Roles),
        action,
        resource: render(resource),
        partitions: (statement.Condition?.['ForAllValues:StringLike'] ??
          statement.Condition?.['ForAllValues:StringEquals'])?.['dynamodb:LeadingKeys'],
        statement,
      })),
    ),
  );
});

/** Every statement of every key policy, by the name of the key. */
export const keyStatements = resources(template, 'AWS::KMS::Key').flatMap(({ id, properties }) => {
  const statements: Statement[] = properties.KeyPolicy.Statement;
  return statements.map((statement) => ({ key: id.slice(0, -8), statement }));
});

/** One or many, as policy documents have it, as many. */
export function listOf<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value];
}

/** The roles that have a grant of some kind. */
export function rolesWith(predicate: (grant: (typeof grants)[number]) => boolean): string[] {
  return [...new Set(grants.filter(predicate).map(({ role }) => role))].sort();
}
