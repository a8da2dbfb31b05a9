import { err, ok, type Result } from '../functions/core/result.ts';
import { readToken, TOKEN_OPTIONS } from './access-token.ts';
import { type Answer, send } from './http.ts';
import { ORIGIN_OPTION, readOrigin } from './origin.ts';
import { type Failure, misused } from './outcome.ts';
import type { Terminal } from './terminal.ts';
import type { Arguments, Option } from './verb.ts';

/** A gateway, and one request to it with the operator's token. An answer is a success whatever its status. */
export type AdminDoor = (path: string, request?: AdminRequest) => Promise<Result<Answer, Failure>>;

/** What is sent; `body` as JSON. */
export type AdminRequest = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
};

/** Which gateway, and whose token, in every verb that administers one. */
export const DOOR_OPTIONS: readonly Option[] = [ORIGIN_OPTION, ...TOKEN_OPTIONS];

/** Opens the door of `--origin` with a token for the whole gateway; without a token nothing is sent. */
export async function openDoor(input: Arguments, terminal: Terminal): Promise<Result<AdminDoor, Failure>> {
  const origin = readOrigin(input.text('origin'), terminal.env);
  if (!origin.ok) return origin;
  const token = await readToken(input, terminal, origin.value);
  if (!token.ok) return token;
  if (token.value === undefined) {
    return err(misused('a token is missing: `--token-file FILE`, `--client ID`, or SALLYPORT_TOKEN'));
  }
  const authorization = `Bearer ${token.value}`;
  return ok((path, { method = 'GET', body, headers = {} } = {}) =>
    send(`${origin.value}${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
}
