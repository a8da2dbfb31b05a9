import { describe, expect, test } from 'vitest';
import { lookThroughJson } from '../../functions/handlers/json-answer.ts';

const MAX = 40;
const REFUSAL = '{"error":"refused"}';
const LONG = `{"a":"${'x'.repeat(MAX)}"}`;

/** An answer of an upstream, in these pieces, that then ends, fails or says nothing more. */
function answerOf(pieces: readonly string[], last: 'end' | 'fail' | 'wait' = 'end') {
  const seen = { pulls: 0, isCancelled: false, refused: 0 };
  const source = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = pieces[seen.pulls];
        seen.pulls += 1;
        if (piece !== undefined) controller.enqueue(new TextEncoder().encode(piece));
        else if (last === 'end') controller.close();
        else if (last === 'fail') controller.error(new Error('the upstream broke'));
        else await new Promise(() => {});
      },
      cancel() {
        seen.isCancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const stream = lookThroughJson(source, {
    maxBytes: MAX,
    mayPass: (answer) => !answer.includes('secret'),
    refusal: REFUSAL,
    onRefusal: () => {
      seen.refused += 1;
    },
  });
  return { stream, seen };
}

const textOf = (stream: ReadableStream<Uint8Array>) => new Response(stream).text();

describe('passes as it is', () => {
  test.for([
    ['nothing', ''],
    ['an object', '{"a":1}'],
    ['an object that holds an array', ' \r\n\t{"a":["secre"]}'],
    ['one that is as long as is looked at', `{"a":"${'x'.repeat(MAX - 8)}"}`],
    ['one that is longer', LONG],
    ['one that is longer, whatever it says', LONG.replace('x', 'secret')],
    ['what is no JSON', 'oops ['],
  ] as const)('%s, in any pieces', async ([, text]) => {
    for (const pieces of [[text], [...text]]) {
      const { stream, seen } = answerOf(pieces);
      expect([await textOf(stream), seen.refused]).toEqual([text, 0]);
    }
  });
});

describe('is refused, and what it says is not told:', () => {
  test.for([
    ['a batch', '[{"a":1}]', 'wait'],
    ['an empty one', '[]', 'wait'],
    ['one behind white space', ' \n\t\r[{"a":1}]', 'wait'],
    ['one behind a byte order mark', '\uFEFF[{"a":1}]', 'wait'],
    ['one that is long', `[${LONG}]`, 'wait'],
    ['one behind more white space than is looked at', `${' '.repeat(MAX + 1)}[]`, 'wait'],
    ['an object that may not pass', '{"a":"secret"}', 'end'],
  ] as const)('%s, in any pieces', async ([, text, last]) => {
    for (const pieces of [[text], [...text]]) {
      const { stream, seen } = answerOf(pieces, last);
      expect([await textOf(stream), seen.refused]).toEqual([REFUSAL, 1]);
      expect(seen.isCancelled).toBe(last === 'wait');
    }
  });
});

test('one that is large goes on its way before it is whole', async () => {
  const { stream } = answerOf([LONG.slice(0, -1)], 'wait');
  const { value } = await stream.getReader().read();
  expect(Buffer.from(value ?? []).toString()).toBe(LONG.slice(0, -1));
});

test.for([['{"a":'], [LONG.slice(0, -1)]])('half an answer is an error: %s', async (pieces) => {
  await expect(textOf(answerOf(pieces, 'fail').stream)).rejects.toThrow('the upstream broke');
});

test('who goes away takes the source along', async () => {
  const { stream, seen } = answerOf([], 'wait');
  await stream.cancel();
  expect(seen.isCancelled).toBe(true);
});
