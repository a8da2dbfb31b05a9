import { ROUTES } from '../../infra/routes.ts';
import { mutate } from './mutate.ts';
import type { Random } from './random.ts';

/** A request line: a method, and a path as it is sent. */
export type Asked = { readonly method: 'GET' | 'POST' | 'DELETE' | 'PUT'; readonly path: string };

/** Methods that some route has, and one that hardly any has. */
export const METHODS = ['GET', 'POST', 'DELETE', 'PUT'] as const;
const PARAMETERS = [
  'alpha',
  'a',
  '0',
  'a_b-c',
  'ALPHA',
  'context-store',
  'context',
  'egress',
  'servers',
  'mcp',
  'documents',
  'me',
  'a'.repeat(63),
  'a'.repeat(64),
  'caf\u00e9',
  '__proto__',
  'a.b',
  '..',
  '*',
];
const PIECES = [
  ...['/', '//', '/./', '/../', '.', '..', '%2e', '%2E%2e', '%2f', '%2F', '%5c', '\\', ';', ';x=1', '%3b'],
  ...['%00', '%', '%2', '%zz'],
  ...['%25', '%2561', '%252f', '%61', '%6D', '%20', ' ', '\t', '?', '#', '%3f', '%23', '+', '*', '{', '}'],
  ...['~', ':', '@', '=', '&'],
  ...['%c0%af', '%c0%ae', '%e0%80%af', '%ff', '%ed%a0%80', '%c3%a9', '\u00e9', '\u0130', '\u212a'],
  ...['%e2%84%aa', '\uff0f', '\u2024'],
  ...['mcp', 'MCP', 'alpha', 'context', 'egress', '/mcp', '/egress/api/', 'https://h/', '%u002f', '\ufeff'],
  ...['%ef%bb%bf', '\u0001'],
];

/** A path of a route, its parameters filled in, mostly spelled in some odd way. */
export function askedPath(random: Random): Asked {
  const { path, methods } = random.pick(ROUTES);
  const method = random.chance(20)
    ? random.pick(METHODS)
    : random.pick(METHODS.filter((one) => methods.some((known) => known === one || known === 'ANY')));
  const segments = path
    .slice(1)
    .split('/')
    .flatMap((part) => {
      if (part.endsWith('+}'))
        return Array.from({ length: 1 + random.below(3) }, () => random.pick(PARAMETERS));
      return part.startsWith('{') ? random.pick(PARAMETERS) : part;
    });
  const written = `/${segments.join('/')}`;
  const spelled = random.chance(40) ? encodeSome(random, written) : written;
  const cased = random.chance(5) ? spelled.toUpperCase() : spelled;
  return { method, path: random.chance(35) ? mutate(random, cased, PIECES) : cased };
}

/** A share of the characters behind percent signs, some of them twice. */
function encodeSome(random: Random, path: string): string {
  const encoded = Array.from(path, (character) => {
    if ((character === '/' && !random.chance(3)) || !random.chance(20)) return character;
    const bytes = Array.from(Buffer.from(character), (byte) => byte.toString(16).padStart(2, '0'));
    const text = `%${bytes.join('%')}`;
    return random.chance(5) ? text.replaceAll('%', '%25') : random.chance(50) ? text : text.toUpperCase();
  });
  return encoded.join('');
}
