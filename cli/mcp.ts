import { err, ok, type Result } from '../functions/core/result.ts';
import { readToken, TOKEN_OPTIONS } from './access-token.ts';
import { parseJson } from './http.ts';
import { basic, type Connect, call, list, ping } from './mcp-actions.ts';
import { connectMcp, type Era } from './mcp-client.ts';
import { isAtOrigin, parseUrl, readOrigin } from './origin.ts';
import { type Failure, misused, type Output } from './outcome.ts';
import type { Terminal } from './terminal.ts';
import type { Arguments, Verb } from './verb.ts';

type Target = { readonly url: string; readonly origin: string; readonly isNamed: boolean };

const ACTIONS: ReadonlyMap<string, number> = new Map([
  ['ping', 0],
  ['list', 0],
  ['basic', 0],
  ['call', 2],
]);

/** `sallyport mcp`: a small MCP client for trying servers through the gateway. */
export const mcp: Verb = {
  name: 'mcp',
  summary: 'talk to an MCP server through the gateway',
  usage: "ping|list|basic|call SERVER|--url URL [TOOL ['JSON']]",
  positionals: { min: 1, max: 4 },
  options: [
    { name: 'url', value: 'URL', help: 'an MCP endpoint, in place of SERVER' },
    {
      name: 'origin',
      value: 'ORIGIN',
      help: 'the gateway (default SALLYPORT_ORIGIN, else http://127.0.0.1:8787); tokens go nowhere else',
    },
    ...TOKEN_OPTIONS,
    { name: 'scope', value: 'SCOPES', help: 'with --client: scopes, separated by spaces' },
    { name: 'legacy', help: 'speak the protocol with initialize (2025-11-25 and before)' },
    { name: 'modern', help: 'speak 2026-07-28 and nothing else' },
  ],
  examples: [
    ['is the server there?', 'sallyport mcp ping fininfo --client analyst'],
    ['the tools that this client may call', 'sallyport mcp list weather --client reader'],
    ['call a tool', `sallyport mcp call weather forecast '{"city":"Lisbon"}' --client analyst`],
    ['everything at once, over the older protocol', 'sallyport mcp basic weather --client trader --legacy'],
  ],
  notes: [
    'The token comes from --token-file, else from a token request as --client, else from SALLYPORT_TOKEN; with --url',
    'it may be absent. SALLYPORT_TOKEN and the tokens of a client are sent to the gateway alone: where URL is another',
    'one, name it with --origin. The protocol is negotiated unless --legacy or --modern says otherwise.',
  ],
  async run(input, terminal) {
    const [action = '', ...rest] = input.positionals;
    const maxArguments = ACTIONS.get(action);
    if (maxArguments === undefined)
      return err(misused(`\`${action}\` is not one of ping, list, basic, call`));
    if (input.flag('legacy') && input.flag('modern'))
      return err(misused('--legacy and --modern exclude each other'));
    const target = readTarget(input, terminal, rest[0]);
    if (!target.ok) return target;
    const toolAndArguments = target.value.isNamed ? rest.slice(1) : rest;
    if (toolAndArguments.length > maxArguments) {
      const why = target.value.isNamed ? '' : ': with --url there is no SERVER; the gateway is --origin';
      return err(misused(`too many arguments for \`mcp ${action}\`${why}`));
    }
    const [tool, text = '{}'] = toolAndArguments;
    const toolArguments = parseJson(text);
    if (action === 'call' && tool === undefined) return err(misused('the name of the tool is missing'));
    if (!isObject(toolArguments))
      return err(misused('the tool’s arguments are one JSON object, in single quotes'));
    const { url, origin, isNamed } = target.value;
    const token = await readToken(input, terminal, origin, { scope: input.text('scope'), resource: url });
    if (!token.ok) return token;
    if (token.value === undefined && isNamed) {
      return err(misused('a token is missing: `--token-file FILE`, `--client ID`, or SALLYPORT_TOKEN'));
    }
    const connect: Connect = {
      url,
      open: () => connectMcp({ url, token: token.value, era: eraOf(input) }),
    };
    if (action === 'call') return call(connect, tool ?? '', toolArguments, terminal);
    const actions: Record<string, (connect: Connect) => Promise<Result<Output, Failure>>> = {
      ping,
      list,
      basic,
    };
    return (actions[action] ?? ping)(connect);
  },
};

function eraOf(input: Arguments): Era {
  if (input.flag('legacy')) return 'legacy';
  return input.flag('modern') ? 'modern' : 'auto';
}

function readTarget(
  input: Arguments,
  terminal: Terminal,
  server: string | undefined,
): Result<Target, Failure> {
  const option = input.text('url');
  if (option !== undefined) return readEndpoint(option, input, terminal);
  if (server === undefined) return err(misused('the server is missing: SERVER or `--url URL`'));
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(server)) return err(misused(`\`${server}\` is not a server’s name`));
  const origin = readOrigin(input.text('origin'), terminal.env);
  return origin.ok
    ? ok({ url: `${origin.value}/${server}/mcp`, origin: origin.value, isNamed: true })
    : origin;
}

/** An endpoint that is not of the gateway gets a token only where `--token-file` gives it one. */
function readEndpoint(text: string, input: Arguments, terminal: Terminal): Result<Target, Failure> {
  const url = parseUrl(text);
  if (!url.ok) return url;
  const origin = readOrigin(input.text('origin'), terminal.env);
  if (!origin.ok) return origin;
  const wouldSend = input.text('client') !== undefined || Boolean(terminal.env['SALLYPORT_TOKEN']);
  const isGiven = input.text('token-file') !== undefined;
  if (wouldSend && !isGiven && !isAtOrigin(url.value, origin.value)) {
    const { origin: other } = url.value;
    return err(
      misused(
        `\`${other}\` is not the gateway ${origin.value}; to send it a token, pass \`--origin ${other}\``,
      ),
    );
  }
  return ok({ url: url.value.href, origin: origin.value, isNamed: false });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
