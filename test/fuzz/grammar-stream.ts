import { type Oddity, objectText, stringText } from './grammar-json.ts';
import { mutate } from './mutate.ts';
import type { Random } from './random.ts';

/** List methods: where their items are, and the member that names an item. */
export const LISTS = {
  'tools/list': { items: 'tools', name: 'name' },
  'prompts/list': { items: 'prompts', name: 'name' },
  'resources/list': { items: 'resources', name: 'uri' },
} as const;
export type ListMethod = keyof typeof LISTS;

/** A stream as it was decoded, where it is cut, and what was asked for. */
export type Streamed = {
  readonly text: string;
  readonly cuts: readonly number[];
  readonly asked: ListMethod | 'tools/call';
  readonly isInSession: boolean;
};

/** The one tool that the caller may call, and one that it may not. */
export const VISIBLE = 'read';
const HIDDEN = 'erase';
const ENDINGS = ['\n', '\n', '\n', '\r\n', '\r\n', '\r'];
const PIECES = [
  ...['\n', '\r', '\r\n', '\n\n', '\r\r', '\n\r', '\r\n\r', 'data:', 'data: ', 'data', 'id: 7', 'event: x'],
  ...[': c', ':', ' ', '\0'],
  ...['\ufeff', '\u2028', '\u0085', '{', '}', '"', ',', '[', ']', '\\', '\\u0065rase', 'erase'],
  ...['"tools":[{"name":"erase"}]', 'retry: 1'],
];

/** Some events, most of them answers with lists, in any of the forms of an event stream. */
export function streamedEvents(random: Random): Streamed {
  const events = random.list(3, () => eventText(random));
  const text = `${random.chance(4) ? '\ufeff' : ''}${events.join('')}`;
  return {
    text: random.chance(35) ? mutate(random, text, PIECES) : text,
    cuts: random.list(4, () => random.below(400)),
    asked: random.pick(['tools/list', 'tools/list', 'prompts/list', 'resources/list', 'tools/call']),
    isInSession: random.chance(40),
  };
}

function eventText(random: Random): string {
  const ending = random.pick(ENDINGS);
  const end = () => (random.chance(10) ? random.pick(ENDINGS) : ending);
  const data = random.chance(85) ? messageText(random) : random.pick(['ping', '', '{', '[]', 'null', ' ']);
  const lines = (random.chance(20) ? breakLines(random, data) : [data]).map(
    (line) => `data:${random.pick([' ', ' ', '', '  '])}${line}`,
  );
  const others = random.list(2, () =>
    random.pick([': keep-alive', 'id: 1', 'event: message', 'data', 'data:', 'retry: 5', 'Data: x']),
  );
  const all = random.chance(70) ? [...others, ...lines] : [...lines, ...others];
  return `${all.map((line) => line + end()).join('')}${end()}`;
}

function messageText(random: Random): string {
  const oddity = { spelling: random.pick([0, 0, 30]), fault: random.pick([0, 0, 3]) };
  if (random.chance(15))
    return '{"jsonrpc":"2.0","method":"notifications/progress","params":{"tools":[{"name":"erase"}]}}';
  if (random.chance(10)) return '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"\\u006eo tools"}}';
  const list = random.pick(Object.values(LISTS));
  const items = random.list(3, () => itemText(random, oddity, list.name));
  const result = objectText(random, oddity, [
    ...random.list(1, () => ['cacheScope', '"public"'] as const),
    [list.items, random.chance(95) ? `[${items.join()}]` : random.pick(['null', '{}', '"erase"'])],
    ...random.list(1, () => ['nextCursor', '"c"'] as const),
  ]);
  return objectText(random, oddity, [
    ['jsonrpc', '"2.0"'],
    ['id', '1'],
    ['result', random.chance(97) ? result : 'null'],
  ]);
}

function itemText(random: Random, oddity: Oddity, name: string): string {
  const called = stringText(random, random.pick([VISIBLE, HIDDEN, 'Read', `${VISIBLE} `, '']), oddity);
  const item = objectText(random, oddity, [
    [name, called],
    ...random.list(1, () => ['title', '"erase"'] as const),
  ]);
  return random.chance(97) ? item : random.pick(['null', '"erase"', '[]', '{}']);
}

/** A text over several lines of data: a reader puts the line feeds back, which JSON takes for white space. */
function breakLines(random: Random, data: string): readonly string[] {
  const lines: string[] = [];
  for (const part of data.split(/(?<=[,:{[])/)) {
    if (lines.length === 0 || random.chance(30)) lines.push(part);
    else lines.push(`${lines.pop() ?? ''}${part}`);
  }
  return lines;
}
