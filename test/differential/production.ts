import { readMessage } from '../../functions/core/action.ts';
import { actionsOf } from '../../functions/core/addressed.ts';
import { Caller } from '../../functions/core/caller.ts';
import { compileConfiguration } from '../../functions/core/configuration/compile.ts';
import { decideAll } from '../../functions/core/decide.ts';
import { Policy } from '../../functions/core/policy.ts';
import { createPruner } from '../../functions/core/prune.ts';
import type { VerifiedToken } from '../../functions/core/token.ts';
import { TestIssuer } from '../support/test-issuer.ts';
import type { Ask, Claims, List, Verdict } from './world.ts';

/** To sign a token and to read a message takes longer than to decide: what was made once is used again, up to so many. */
const REMEMBERED = 2_000;

/** Answers as the functions do: through the compiler, the token layer, the parser of messages and the one decision. */
export class Production {
  readonly #issuer = new TestIssuer();
  readonly #tokens = new Map<string, VerifiedToken>();
  readonly #messages = new Map<string, ReturnType<typeof readMessage>>();

  /** The policy of some files; it has been text in between, as in the table. @throws Error where they are refused */
  policy(files: ReadonlyMap<string, string>): Policy {
    const compiled = compileConfiguration(files);
    if (!compiled.ok) throw new Error(`a world's own files are refused: ${JSON.stringify(compiled.error)}`);
    return new Policy(JSON.parse(JSON.stringify(compiled.value.snapshot)), 1);
  }

  /** The caller of a signed token, undefined where it is refused. */
  caller(policy: Policy, claims: Claims, nowSeconds: number): Caller | undefined {
    const key = JSON.stringify(claims);
    if (this.#tokens.size > REMEMBERED) this.#tokens.clear();
    const token = this.#tokens.get(key) ?? this.#issuer.verified(claims);
    this.#tokens.set(key, token);
    const caller = Caller.fromToken(token, policy, nowSeconds);
    return caller.ok ? caller.value : undefined;
  }

  decide(policy: Policy, caller: Caller, { server, message }: Ask, nowSeconds: number): Verdict {
    const read = this.#read(message);
    if (!read.ok) return 'deny';
    const actions = actionsOf(server, read.value);
    if (!actions.ok) return 'deny';
    return decideAll(policy, caller, actions.value, nowSeconds).allow ? 'allow' : 'deny';
  }

  /** Which items of a server's list stay in its answer. */
  list(
    policy: Policy,
    caller: Caller,
    server: string,
    { method, list, member, names }: List,
    nowSeconds: number,
  ) {
    const request = this.#read(JSON.stringify({ jsonrpc: '2.0', id: 1, method }));
    if (!request.ok) throw new Error(`a list request is refused: ${method}`);
    const prune = createPruner(() => ({ policy, caller, nowSeconds }), server, request.value, false);
    const all = names.map((name) => ({ [member]: name, title: 'x' }));
    const pruned = prune?.(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { [list]: all } }));
    const shown: Record<string, string>[] = JSON.parse(pruned ?? '{}').result[list];
    return new Set(shown.map((item) => item[member]));
  }

  #read(message: string) {
    if (this.#messages.size > REMEMBERED) this.#messages.clear();
    const read = this.#messages.get(message) ?? readMessage(Buffer.from(message), new Headers());
    this.#messages.set(message, read);
    return read;
  }
}
