import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';

/** Compiles and writes files as the policy. */
export type ApplyFiles = (
  files: ReadonlyMap<string, string>,
  source: 'deploy' | 'dev',
) => Promise<ApplyAnswer>;

/** What a direct invocation answers. */
export type ApplyAnswer =
  | { readonly ok: true; readonly version: number; readonly warnings: readonly ApplyMessage[] }
  | { readonly ok: false; readonly errors: readonly ApplyMessage[] };

/** A message about a line of a configuration file. */
export type ApplyMessage = { readonly file: string; readonly line: number; readonly message: string };

/** A direct invocation: only who may `lambda:InvokeFunction` can send it, and API Gateway never does. */
export type DirectApplyEvent = {
  readonly apply: { readonly files: Readonly<Record<string, string>>; readonly source: 'deploy' | 'dev' };
};

/** Is it a direct invocation that applies a configuration? */
export function isDirectApply(event: object): event is DirectApplyEvent {
  return 'apply' in event && !('httpMethod' in event);
}

/** Is it CloudFormation, deploying? */
export function isCustomResource(event: object): event is CloudFormationCustomResourceEvent {
  return 'ResponseURL' in event && 'RequestType' in event && !('httpMethod' in event);
}

/**
 * Applies the configuration that lies beside the bundle, and tells CloudFormation how it went. Deleting the resource
 * changes nothing. An invalid configuration, or one that would undo a newer `apply`, fails the deployment with the first errors.
 */
export async function answerCustomResource(
  event: CloudFormationCustomResourceEvent,
  directory: string,
  apply: ApplyFiles,
): Promise<void> {
  const answer = event.RequestType === 'Delete' ? undefined : await applyDirectory(directory, apply);
  const failed = answer !== undefined && !answer.ok ? answer.errors.slice(0, 5) : undefined;
  const reason = failed?.map(({ file, line, message }) => `${file}:${line}: ${message}`).join('; ');
  await fetch(event.ResponseURL, {
    method: 'PUT',
    body: JSON.stringify({
      Status: failed === undefined ? 'SUCCESS' : 'FAILED',
      ...(failed === undefined ? {} : { Reason: reason || 'nothing was applied' }),
      PhysicalResourceId: 'sallyport-configuration',
      StackId: event.StackId,
      RequestId: event.RequestId,
      LogicalResourceId: event.LogicalResourceId,
    }),
  });
}

/** A failure to answer leaves a stack waiting for an hour, so any fault is an answer too. */
async function applyDirectory(directory: string, apply: ApplyFiles): Promise<ApplyAnswer> {
  try {
    const names = (await readdir(directory)).filter((name) => name.endsWith('.yml'));
    const files = await Promise.all(
      names.map(async (name) => [name, await readFile(join(directory, name), 'utf8')] as const),
    );
    return await apply(new Map(files), 'deploy');
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, errors: [{ file: 'config', line: 1, message }] };
  }
}
