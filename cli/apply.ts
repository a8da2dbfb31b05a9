import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { err, ok } from '../functions/core/result.ts';
import { readToken, TOKEN_OPTIONS } from './access-token.ts';
import { configurationRefusal, configurationWarnings, readConfiguration } from './config-directory.ts';
import { refusalOf, send } from './http.ts';
import { isLoopback, readOrigin } from './origin.ts';
import { failed, misused } from './outcome.ts';
import { SECRETS_FILE } from './secrets-file.ts';
import type { Verb } from './verb.ts';

const Applied = z.looseObject({ version: z.number() });

/** `sallyport apply`: validates a configuration at the gateway and makes it the running one. */
export const apply: Verb = {
  name: 'apply',
  summary: 'make the configuration in a directory the running one',
  usage: 'DIR',
  positionals: { min: 1, max: 1 },
  options: [
    {
      name: 'url',
      value: 'ORIGIN',
      help: 'the gateway (default SALLYPORT_ORIGIN, else http://127.0.0.1:8787)',
    },
    ...TOKEN_OPTIONS,
  ],
  examples: [
    ['change the local demo', 'sallyport apply config --client platform-admin'],
    ['change a deployment', 'sallyport apply config --url https://gate.example.com --token-file admin.token'],
  ],
  notes: [
    'The token needs a UI scope with manage_policy. It comes from --token-file, else from a token request as',
    '--client, else from SALLYPORT_TOKEN. Variables of the files are resolved here, from this shell’s environment.',
    'Secrets are never sent: a directory with secrets.local.yml can be applied to a gateway on this machine alone.',
  ],
  async run(input, terminal) {
    const [directory = ''] = input.positionals;
    const origin = readOrigin(input.text('url'), terminal.env);
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
    const files = await readConfiguration(directory, terminal.env);
    if (!files.ok) return files;
    const token = await readToken(input, terminal, origin.value);
    if (!token.ok) return token;
    if (token.value === undefined) {
      return err(misused('a token is missing: `--token-file FILE`, `--client ID`, or SALLYPORT_TOKEN'));
    }
    const answer = await send(`${origin.value}/admin/policy`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token.value}`, 'content-type': 'application/json' },
      body: JSON.stringify({ files: files.value }),
    });
    if (!answer.ok) return answer;
    const applied = Applied.safeParse(answer.value.body);
    if (answer.value.status < 300 && applied.success) {
      const { version } = applied.data;
      for (const warning of configurationWarnings(directory, applied.data)) terminal.note(warning);
      return ok({ text: `version ${version} applied; it holds everywhere within 15 s`, json: applied.data });
    }
    return err(configurationRefusal(directory, answer.value.body) ?? refusalOf(answer.value));
  },
};
