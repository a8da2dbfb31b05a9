import { ok } from '../functions/core/result.ts';
import { CLIENT_OPTIONS, requestToken } from './access-token.ts';
import { ORIGIN_OPTION, readOrigin } from './origin.ts';
import type { Verb } from './verb.ts';

/** `sallyport token`: an access token by client credentials. */
export const token: Verb = {
  name: 'token',
  summary: 'get an access token for a client',
  usage: '--client ID [--server NAME | --resource URL] [--scope "A B"] [--teams "A B"]',
  positionals: { min: 0, max: 0 },
  options: [
    ...CLIENT_OPTIONS,
    {
      name: 'scope',
      value: 'SCOPES',
      help: 'scopes, separated by spaces (default: all that the client may have)',
    },
    {
      name: 'teams',
      value: 'TEAMS',
      help: 'a token for the items of these teams alone, or none (default: all that the client is in)',
    },
    { name: 'server', value: 'NAME', help: 'a token for this MCP server alone' },
    { name: 'resource', value: 'URL', help: 'a token for this resource (RFC 8707)' },
    ORIGIN_OPTION,
  ],
  examples: [
    ['a token of the demo, for every server of this client', 'sallyport token --client analyst'],
    ['a token for one server, as JSON', 'sallyport token --client trader --server fininfo --json'],
    [
      'the secret from a password manager',
      'pass show trader | sallyport token --client trader --secret-file -',
    ],
  ],
  notes: [
    'The secret comes from --secret-file, else SALLYPORT_CLIENT_SECRET, else, for a gateway on this machine, from',
    'the demo’s own secrets in the data directory, else from standard input. It is never an argument.',
  ],
  async run(input, terminal) {
    const origin = readOrigin(input.text('origin'), terminal.env);
    if (!origin.ok) return origin;
    const server = input.text('server');
    const resource = server === undefined ? input.text('resource') : `${origin.value}/${server}/mcp`;
    const issued = await requestToken(input, terminal, origin.value, {
      scope: input.text('scope'),
      teams: input.text('teams'),
      resource,
    });
    return issued.ok ? ok({ text: issued.value.access_token, json: issued.value }) : issued;
  },
};
