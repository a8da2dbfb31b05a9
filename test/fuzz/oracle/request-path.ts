import { ROUTES } from '../../../infra/routes.ts';

/** A route of the table and what stands at its parameters. */
export type Matched = { readonly path: string; readonly parameters: Readonly<Record<string, string>> };

/** Text behind percent signs, decoded once: bytes first, then UTF-8 without mercy. Undefined where either is broken. */
export function decodeOnce(text: string): string | undefined {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] !== '%') {
      bytes.push(...Buffer.from(String.fromCodePoint(text.codePointAt(at) ?? 0)));
      if ((text.codePointAt(at) ?? 0) > 0xffff) at += 1;
      continue;
    }
    const digits = text.slice(at + 1, at + 3);
    if (!/^[0-9a-f]{2}$/i.test(digits)) return undefined;
    bytes.push(Number.parseInt(digits, 16));
    at += 2;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}

/**
 * The route that a path means by the contract (§2): segments compared exactly after one decoding, what is written out before what is a
 * parameter. Undefined where there is none, and for every path that some reader could resolve to another one.
 */
export function matchRoute(path: string): Matched | undefined {
  if (!path.startsWith('/')) return undefined;
  const segments = path.slice(1).split('/').map(decodeOnce);
  if (segments.some((one) => one === undefined || one === '.' || one === '..' || /[/\\;\0]/.test(one)))
    return undefined;
  const found = ROUTES.flatMap((route) => {
    const parameters = matchSegments(route.path.slice(1).split('/'), segments.map(String));
    return parameters === undefined ? [] : [{ path: route.path, parameters }];
  });
  const isWritten = ({ path: one }: Matched) =>
    one
      .split('/')
      .map((part) => (part.startsWith('{') ? '1' : '0'))
      .join('');
  return found.toSorted((one, other) => isWritten(one).localeCompare(isWritten(other)))[0];
}

function matchSegments(
  pattern: readonly string[],
  segments: readonly string[],
): Record<string, string> | undefined {
  const parameters: Record<string, string> = {};
  for (const [at, part] of pattern.entries()) {
    const segment = segments[at];
    const name = /^\{(.+?)(\+?)\}$/.exec(part);
    if (segment === undefined || (segment === '' && name !== null)) return undefined;
    if (name === null && part !== segment) return undefined;
    if (name?.[1] === undefined) continue;
    if (name[2] === '+') {
      const rest = segments.slice(at);
      return rest.slice(0, -1).includes('') ? undefined : { ...parameters, [name[1]]: rest.join('/') };
    }
    parameters[name[1]] = segment;
  }
  return pattern.length === segments.length ? parameters : undefined;
}
