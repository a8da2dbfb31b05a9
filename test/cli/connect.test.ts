import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { dispatch } from '../../cli/dispatch.ts';
import { listenWeb, type WebListener } from '../support/web-listener.ts';
import { run } from './terminal.ts';

let gateway: WebListener;
/** What the gateway answers, by method and path; in the order of the list, the last for ever. */
let answers: Record<string, Response[]> = {};
let asked: string[] = [];

beforeAll(async () => {
  gateway = await listenWeb(async (request) => {
    const place = `${request.method} ${new URL(request.url).pathname}`;
    asked.push(`${place} ${request.headers.get('authorization')}`);
    const list = answers[place] ?? [];
    const next = list.length > 1 ? list.shift() : list[0];
    return next?.clone() ?? new Response('{"title":"Not Found","detail":"nothing"}', { status: 404 });
  });
});
afterAll(() => gateway?.close());
beforeEach(() => {
  answers = {};
  asked = [];
});

const env = { SALLYPORT_TOKEN: 'my-token' };
const url = () => `http://127.0.0.1:${gateway.port}`;
const sallyport = (...argv: string[]) => run([...argv, '--origin', url()], { env });

const PAGE = 'https://gate.example.com/connect/track?t=abc';
const CONNECTION = {
  provider: 'track',
  status: 'active',
  account: { id: 'a-1', name: 'ada\u001b[2Jlovelace' },
  scopes: ['read'],
  connected_at: 1_800_000_000,
  refreshed_at: 1_800_000_000,
};
const PROVIDERS = [
  { name: 'track', display_name: 'Track' },
  { name: 'mailbox', display_name: 'Mail' },
];
const listed = (...connections: object[]) => Response.json({ connections, providers: PROVIDERS });

describe('connections', () => {
  test('are a line for each provider; a name moves no cursor', async () => {
    const broken = { ...CONNECTION, provider: 'mailbox', status: 'broken', account: undefined };
    answers['GET /connections'] = [listed(CONNECTION, broken)];
    const { code, out } = await sallyport('connections');
    expect([code, out]).toEqual([
      0,
      'track    connected as ada\\u{1b}[2Jlovelace since 2027-01-15\nmailbox  broken: connect again',
    ]);
    expect(asked).toEqual(['GET /connections Bearer my-token']);
  });

  test('at a provider that is gone are told to be ended', async () => {
    const gone = { ...CONNECTION, provider: 'old-track', status: 'broken' };
    answers['GET /connections'] = [Response.json({ connections: [gone], providers: [] })];
    expect((await sallyport('connections')).out).toBe('old-track  not used any more: disconnect');
  });

  test('that are none, and providers that are none, are said', async () => {
    answers['GET /connections'] = [listed()];
    expect((await sallyport('connections')).out).toBe('track    not connected\nmailbox  not connected');
    answers['GET /connections'] = [Response.json({ connections: [], providers: [] })];
    expect((await sallyport('connections')).out).toBe('there is no provider to connect an account at');
  });

  test('for a script are what the gateway says', async () => {
    answers['GET /connections'] = [listed(CONNECTION)];
    const { out } = await sallyport('connections', '--json');
    expect(JSON.parse(out)).toEqual({ connections: [CONNECTION], providers: PROVIDERS });
  });

  test('of nobody in particular are a usage error, and of an agent a refusal', async () => {
    expect((await run(['connections', '--origin', url()])).code).toBe(2);
    answers['GET /connections'] = [Response.json({ title: 'Forbidden', detail: 'no' }, { status: 403 })];
    const { code, notes } = await sallyport('connections');
    expect([code, notes]).toEqual([1, 'sallyport: 403 Forbidden: no']);
  });
});

describe('connect', () => {
  test('gives the page to open, and waits for nobody where it shall not', async () => {
    answers['POST /connections/track'] = [Response.json({ url: PAGE })];
    expect(await sallyport('connect', 'track', '--no-wait')).toEqual({ code: 0, out: PAGE, notes: '' });
    const json = await sallyport('connect', 'track', '--no-wait', '--json');
    expect(JSON.parse(json.out)).toEqual({ url: PAGE });
    expect(asked.every((one) => one === 'POST /connections/track Bearer my-token')).toBe(true);
  });

  test('waits until the account is connected', async () => {
    answers['POST /connections/track'] = [Response.json({ url: PAGE })];
    answers['GET /connections'] = [listed(), listed({ ...CONNECTION, status: 'broken' }), listed(CONNECTION)];
    const { code, out, notes } = await sallyport('connect', 'track', '--no-browser');
    expect([code, out, notes]).toEqual([
      0,
      'track is connected as ada\\u{1b}[2Jlovelace since 2027-01-15',
      `open this page to connect:\n${PAGE}`,
    ]);
  });

  test('opens nothing where it is connected already', async () => {
    answers['POST /connections/track'] = [Response.json({ url: PAGE })];
    answers['GET /connections'] = [listed(CONNECTION)];
    const { code, out, notes } = await sallyport('connect', 'track', '--json');
    expect([code, JSON.parse(out), notes]).toEqual([0, CONNECTION, '']);
  });

  test('ends where it is stopped, and says that nothing was connected', async () => {
    answers['POST /connections/track'] = [Response.json({ url: PAGE })];
    answers['GET /connections'] = [listed()];
    const notes: string[] = [];
    const code = await dispatch(['connect', 'track', '--no-browser', '--origin', url()], {
      env,
      isInteractive: false,
      print: () => {},
      note: (line) => void notes.push(line),
      readInput: async () => '',
      ask: async () => '',
      untilStopped: () => AbortSignal.abort('SIGINT'),
    });
    expect([code, notes.at(-1)]).toEqual([1, 'sallyport: `track` was not connected; run it again']);
  });

  test('ends where the gateway refuses meanwhile', async () => {
    answers['POST /connections/track'] = [Response.json({ url: PAGE })];
    answers['GET /connections'] = [listed(), Response.json({ title: 'Unauthorized' }, { status: 401 })];
    const { code, notes } = await sallyport('connect', 'track', '--no-browser');
    expect([code, notes]).toEqual([1, expect.stringContaining('401 Unauthorized')]);
  });

  test.for([
    [['connect', 'ghost'], 1, 'there is no provider `ghost` for you'],
    [['connect', '../admin'], 2, 'is not a provider’s name'],
    [['disconnect', 'Track'], 2, 'is not a provider’s name'],
    [['disconnect', 'track'], 1, '`track` is not connected'],
  ] as const)('%j ends with %i', async ([argv, code, words]) => {
    const done = await sallyport(...argv);
    expect([done.code, done.notes]).toEqual([code, expect.stringContaining(words)]);
  });
});

describe('disconnect', () => {
  test.for([
    [true, 'the provider has ended it'],
    [false, 'take the access away in your account there'],
  ] as const)('says what the provider did: %j', async ([revoked, words]) => {
    answers['DELETE /connections/track'] = [Response.json({ revoked })];
    const { code, out } = await sallyport('disconnect', 'track');
    expect([code, out]).toEqual([0, expect.stringContaining(words)]);
    expect(asked).toEqual(['DELETE /connections/track Bearer my-token']);
    expect(JSON.parse((await sallyport('disconnect', 'track', '--json')).out)).toEqual({ revoked });
  });

  test('says why not', async () => {
    answers['DELETE /connections/track'] = [Response.json({ title: 'Forbidden' }, { status: 403 })];
    expect((await sallyport('disconnect', 'track')).notes).toBe('sallyport: 403 Forbidden');
  });
});
