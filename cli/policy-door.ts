import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { err, ok, type Result } from '../functions/core/result.ts';
import type { AdminDoor } from './admin-door.ts';
import {
  type ConfigurationFiles,
  configurationRefusal,
  configurationWarnings,
  readConfiguration,
} from './config-directory.ts';
import { refusalOf } from './http.ts';
import { isLoopback, readOrigin } from './origin.ts';
import { type Failure, failed, type Output } from './outcome.ts';
import { describePlan, Plan } from './policy-words.ts';
import { SECRETS_FILE } from './secrets-file.ts';
import type { Terminal } from './terminal.ts';
import type { Arguments, Option } from './verb.ts';

const Applied = z.looseObject({ version: z.number() });

/** What is planned and applied: the files of a directory, or a version that ran. */
export type PolicyContent = { readonly files: ConfigurationFiles } | { readonly version: number };

/** The policy goes into other hands. */
export const LOCKOUT_OPTION: Option = {
  name: 'allow-lockout',
  help: 'also where the client that asks could not change the policy any more afterwards',
};

/** Reads the configuration in a directory for the gateway of `--origin`. Secrets of the local mode go to a gateway on this machine alone. */
export async function readForGateway(
  input: Arguments,
  terminal: Terminal,
  directory: string,
): Promise<Result<ConfigurationFiles, Failure>> {
  const origin = readOrigin(input.text('origin'), terminal.env);
  if (!origin.ok) return origin;
  const hasLocalSecrets = await access(join(directory, SECRETS_FILE)).then(
    () => true,
    () => false,
  );
  if (hasLocalSecrets && !isLoopback(new URL(origin.value))) {
    return err(
      failed(`${join(directory, SECRETS_FILE)} is for the local mode alone; move it away before you apply`),
    );
  }
  return readConfiguration(directory, terminal.env);
}

/** What the content would change. `directory` is named in the problems that it has. */
export async function askForPlan(
  door: AdminDoor,
  content: PolicyContent,
  directory = '',
): Promise<Result<Plan, Failure>> {
  const answer = await door('/admin/policy/plan', { method: 'POST', body: content });
  if (!answer.ok) return answer;
  const { status, body } = answer.value;
  const parsed = Plan.safeParse(body);
  if (status !== 200) return err(configurationRefusal(directory, body) ?? refusalOf(answer.value));
  return parsed.success ? ok(parsed.data) : err(failed('the gateway’s answer is not a plan'));
}

/** Shows a plan, with what the author should look at. */
export function notePlan(terminal: Terminal, plan: Plan, directory = ''): void {
  for (const line of describePlan(plan)) terminal.note(line);
  for (const warning of configurationWarnings(directory, plan)) terminal.note(warning);
}

/** Makes the content run, over the version that was planned over and no other. */
export async function makeRun(
  door: AdminDoor,
  content: PolicyContent,
  plan: Plan,
  {
    directory = '',
    allowLockout = false,
  }: { readonly directory?: string; readonly allowLockout?: boolean } = {},
): Promise<Result<Output, Failure>> {
  const isRollback = 'version' in content;
  const answer = await door(isRollback ? '/admin/policy/rollback' : '/admin/policy', {
    method: isRollback ? 'POST' : 'PUT',
    body: allowLockout ? { ...content, allow_lockout: true } : content,
    headers: { 'if-match': `"${plan.over}"` },
  });
  if (!answer.ok) return answer;
  const applied = Applied.safeParse(answer.value.body);
  if (answer.value.status !== 200 || !applied.success) {
    return err(configurationRefusal(directory, answer.value.body) ?? refusalOf(answer.value));
  }
  const { version } = applied.data;
  const what = isRollback
    ? `version ${version} applied, with the content of ${content.version}`
    : `version ${version} applied`;
  return ok({
    text: `${what}; it holds everywhere within 15 s`,
    json: { ...applied.data, changes: plan.changes },
  });
}
