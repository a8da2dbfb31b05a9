import { deepStrictEqual } from 'node:assert';
import { z } from 'zod';
import { selectIngressToken } from '../../../functions/core/ingress-token.ts';
import type { Header } from '../grammar-message.ts';
import { mutate, shorterLists, shorterTexts, smallerMember } from '../mutate.ts';
import { headerOf } from '../oracle/posted-message.ts';
import type { Random } from '../random.ts';
import { createTarget, type Verdict } from '../target.ts';
import { toHeaders } from './header-body.ts';

type Asked = { readonly headers: readonly Header[]; readonly isContextRoute: boolean };

/**
 * Which header authenticates a request. It is the first that is there, in the order of contract §3, and only if it is one token behind one
 * scheme: a second copy, another scheme or another separator is refused, and never makes way for the next header.
 */
export const ingressToken = createTarget<Asked>({
  name: 'ingress',
  input: z.object({ headers: z.array(z.tuple([z.string(), z.string()])), isContextRoute: z.boolean() }),
  generate,
  check,
  smaller: (asked) =>
    smallerMember(
      asked,
      'headers',
      shorterLists(asked.headers, function* ([name, value]) {
        for (const shorter of shorterTexts(value)) yield [name, shorter] as const;
      }),
    ),
});

function check({ headers: sent, isContextRoute }: Asked): Verdict {
  const headers = toHeaders(sent);
  if (headers === undefined) return 'refused';
  const selected = selectIngressToken(headers, isContextRoute);
  const order = ['x-authorization', ...(isContextRoute ? ['x-service-token'] : []), 'authorization'];
  const header = order.find((name) => headerOf(sent, name) !== null);
  if (header === undefined) {
    deepStrictEqual(selected, { ok: false, error: { reason: 'no_token' } });
    return 'refused';
  }
  const token = tokenIn(headerOf(sent, header) ?? '', header === 'x-service-token');
  const copies = sent.filter(([name]) => name.toLowerCase() === header).length;
  const expected =
    token === undefined || copies > 1
      ? { ok: false, error: { reason: 'malformed_token_header' } }
      : { ok: true, value: { token, header } };
  deepStrictEqual(selected, expected);
  return selected.ok ? 'accepted' : 'refused';
}

/** RFC 6750 §2.1, character by character; a service token may come without its scheme. */
function tokenIn(value: string, mayBeBare: boolean): string | undefined {
  const [scheme = '', token, ...rest] = value.split(' ');
  if (token === undefined) return mayBeBare && isToken68(scheme) ? scheme : undefined;
  return rest.length === 0 && ['bearer'].includes(scheme.toLowerCase()) && isToken68(token)
    ? token
    : undefined;
}

function isToken68(text: string): boolean {
  const end = text.length - (/=*$/.exec(text)?.[0].length ?? 0);
  const allowed = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/';
  return end > 0 && Array.from(text.slice(0, end)).every((character) => allowed.includes(character));
}

const NAMES = [
  ...['Authorization', 'authorization', 'X-Authorization', 'x-authorization', 'X-Service-Token'],
  ...['x-service-token', 'X_Authorization', 'Proxy-Authorization', 'Cookie'],
];
const VALUES = [
  ...['Bearer a.b.c', 'bearer a.b.c', 'BEARER t', 'Bearer t==', 'a.b.c', 'Basic dTpw', 'DPoP t', 'Bearer'],
  ...['Bearer ', '', 'Bearer t u', 'Bearer t, Bearer t', 'Bearer\tt', 'Bearer  t'],
];
const PIECES = [
  ...[' ', '  ', '\t', ',', ', ', '=', '"', 'Bearer ', 'bearer', ';', '.', '\u00a0', '\u00e9', '\u017f'],
  ...['\u212a', '/', '+', '~', '-', '_', ':', '\0', '\n'],
];

function generate(random: Random): Asked {
  const headers = random.list(3, (): Header => {
    const value = random.pick(VALUES);
    return [random.pick(NAMES), random.chance(40) ? mutate(random, value, PIECES) : value];
  });
  return { headers, isContextRoute: random.chance(50) };
}
