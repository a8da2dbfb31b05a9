import { z } from 'zod';
import { timeOf } from './time.ts';

/** The keys of a purpose, as the gateway tells them. Times are epoch seconds. */
export const Keys = z.object({
  keys: z.array(
    z.object({
      name: z.string(),
      kid: z.string(),
      state: z.enum(['standby', 'signing', 'retiring', 'retired']),
      published_at: z.number(),
      refused_at: z.number().optional(),
    }),
  ),
  next: z
    .discriminatedUnion('step', [
      z.object({ step: z.literal('rotate'), key: z.string() }),
      z.object({ step: z.literal('wait'), key: z.string(), seconds: z.number() }),
      z.object({ step: z.literal('deploy'), key: z.string() }),
    ])
    .optional(),
});

export type Keys = z.infer<typeof Keys>;

/** What a key signs. */
export type Purpose = 'issuer' | 'identity';

/** What each purpose is for. */
export const PURPOSES: Readonly<Record<Purpose, string>> = {
  issuer: 'access tokens and run tokens',
  identity: 'identity tokens, which servers see',
};

/** A purpose in lines for people: every key that there was, in the order of its publication, and what to do next. */
export function describeKeys(purpose: Purpose, { keys, next }: Keys): readonly string[] {
  return [
    `${purpose}: ${PURPOSES[purpose]}`,
    ...keys.map((key) => `  ${key.name.padEnd(4)}${key.state.padEnd(9)}${key.kid}${untilOf(key)}`),
    `  next: ${describeStep(purpose, next)}`,
  ];
}

function untilOf({ state, refused_at }: Keys['keys'][number]): string {
  return state === 'retiring' && refused_at !== undefined ? `  accepted until ${timeOf(refused_at)}` : '';
}

/** What an operator does next. */
export function describeStep(purpose: Purpose, next: Keys['next']): string {
  switch (next?.step) {
    case 'rotate':
      return `\`sallyport keys rotate ${purpose}\`: everybody knows ${next.key}, it can sign`;
    case 'wait':
      return `wait ${next.seconds} s, until everybody can know ${next.key}; then \`sallyport keys rotate ${purpose}\``;
    case 'deploy':
      return `before another rotation, put a fresh key there: \`${contextOf(purpose, next.key)}\` in the context of cdk.json, then \`npx cdk deploy\`, or a restart of \`sallyport dev\``;
    case undefined:
      return 'no key is published yet; ask again in a moment';
  }
}

/** `"issuerKeyB": 2` of the key B2: the line of the context that puts it into its slot. */
function contextOf(purpose: Purpose, name: string): string {
  return `"${purpose}Key${name.slice(0, 1)}": ${name.slice(1)}`;
}
