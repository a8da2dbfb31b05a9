import type { YamlScalar } from './yaml-node.ts';

type Value = YamlScalar['value'];

/** What begins otherwise is a text, as most of a file is. */
const BEGINS_AS_NO_TEXT = /^(?:[-+.~0-9nNtTfF]|$)/;

const NULL = /^(?:null|Null|NULL|~|)$/;
const BOOLEAN = /^(?:true|True|TRUE|false|False|FALSE)$/;
const INTEGER = /^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const INFINITE = /^([-+]?)\.(?:inf|Inf|INF)$/;
const NOT_A_NUMBER = /^\.(?:nan|NaN|NAN)$/;

/** What plain text is by itself (YAML 1.2 core schema, §10.3.2); a number too large for one is infinite. */
export function readPlain(source: string): Value {
  if (!BEGINS_AS_NO_TEXT.test(source)) return source;
  if (NULL.test(source)) return null;
  if (BOOLEAN.test(source)) return source.toLowerCase() === 'true';
  return readInteger(source) ?? readFloat(source) ?? source;
}

/** What a scalar is under a tag, as the tag is written; undefined for a tag of another schema, and for a scalar that it does not fit. */
export function readTagged(source: string, tag: string): Value | undefined {
  switch (nameOfTag(tag)) {
    case '!':
    case 'tag:yaml.org,2002:str':
      return source;
    case 'tag:yaml.org,2002:null':
      return NULL.test(source) ? null : undefined;
    case 'tag:yaml.org,2002:bool':
      return BOOLEAN.test(source) ? source.toLowerCase() === 'true' : undefined;
    case 'tag:yaml.org,2002:int':
      return readInteger(source);
    case 'tag:yaml.org,2002:float':
      return readInteger(source) ?? readFloat(source);
    default:
      return undefined;
  }
}

/** May a collection have this tag? */
export function isTagOf(kind: 'list' | 'map', tag: string): boolean {
  const name = nameOfTag(tag);
  return name === '!' || name === (kind === 'list' ? 'tag:yaml.org,2002:seq' : 'tag:yaml.org,2002:map');
}

function readInteger(source: string): number | undefined {
  return INTEGER.test(source) ? Number(source) : undefined;
}

function readFloat(source: string): number | undefined {
  if (FLOAT.test(source)) return Number(source);
  const [isInfinite, sign] = INFINITE.exec(source) ?? [];
  if (isInfinite !== undefined) return sign === '-' ? -Infinity : Infinity;
  return NOT_A_NUMBER.test(source) ? Number.NaN : undefined;
}

/** `!!str` and `!<tag:yaml.org,2002:str>` are the same one (YAML 1.2 §6.8.2, §6.9.1). */
function nameOfTag(tag: string): string {
  if (tag.startsWith('!!')) return `tag:yaml.org,2002:${tag.slice(2)}`;
  return tag.startsWith('!<') ? tag.slice(2, -1) : tag;
}
