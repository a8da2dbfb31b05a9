import { err, ok, type Result } from '../result.ts';
import { compileProgram, type TextNode, type TextProgram } from './text-program.ts';

/** A regular expression that is ready to be run. */
export type TextPattern = {
  readonly program: TextProgram;
  /** Does every match begin where the text begins and end where it ends? */
  readonly isWhole: boolean;
};

const MAX_PATTERN_LENGTH = 256;
const MAX_REPEATS = 256;
const MAX_NESTING = 16;

const DIGITS = [[0x30, 0x39]] as const;
const WORDS = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
] as const;
const SPACES = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
] as const;
const LINE_ENDS = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
] as const;

type Ranges = readonly (readonly [number, number])[];
type Characters = { readonly kind: 'character'; readonly ranges: Ranges; readonly isNegated: boolean };

const CLASSES: ReadonlyMap<string, Characters> = new Map([
  ['d', { kind: 'character', ranges: DIGITS, isNegated: false }],
  ['D', { kind: 'character', ranges: DIGITS, isNegated: true }],
  ['w', { kind: 'character', ranges: WORDS, isNegated: false }],
  ['W', { kind: 'character', ranges: WORDS, isNegated: true }],
  ['s', { kind: 'character', ranges: SPACES, isNegated: false }],
  ['S', { kind: 'character', ranges: SPACES, isNegated: true }],
]);
const CONTROLS: ReadonlyMap<string, number> = new Map([
  ['n', 0x0a],
  ['r', 0x0d],
  ['t', 0x09],
]);

/**
 * Parses a regular expression of the part of JavaScript's that can be run in one pass over the text: characters, `.`, classes, `\d \w \s`
 * and their opposites, groups, `|`, `* + ? {n} {n,m}`, `^`, `$`. Anything else (references back, looking around, lazy quantifiers, word
 * boundaries, properties of Unicode) is an error in words, and never something that stands for itself. Characters are those of Unicode.
 */
export function parseTextPattern(text: string): Result<TextPattern, string> {
  if (text.length > MAX_PATTERN_LENGTH)
    return err(`write a pattern of ${MAX_PATTERN_LENGTH} characters at most`);
  try {
    const node = new Parser(text).pattern();
    const program = compileProgram(node);
    return program === undefined ? err('the pattern is too large') : ok({ program, isWhole: isWhole(node) });
  } catch (error) {
    if (error instanceof PatternSyntax) return err(error.message);
    throw error;
  }
}

/** The patterns of one policy: each is compiled when it is first needed, and kept. */
export class TextPatterns {
  readonly #programs = new Map<string, TextProgram>();

  /** @throws Error on a text that {@link parseTextPattern} refuses: no snapshot has one */
  programOf(text: string): TextProgram {
    const known = this.#programs.get(text);
    if (known !== undefined) return known;
    const parsed = parseTextPattern(text);
    if (!parsed.ok) throw new Error(`a stored pattern is none: ${parsed.error}`);
    this.#programs.set(text, parsed.value.program);
    return parsed.value.program;
  }
}

function isWhole(node: TextNode): boolean {
  if (node.kind === 'choice') return node.branches.every(isWhole);
  return node.kind === 'sequence' && node.items[0]?.kind === 'start' && node.items.at(-1)?.kind === 'end';
}

function characters(ranges: Ranges, isNegated = false): Characters {
  return { kind: 'character', ranges, isNegated };
}

class PatternSyntax extends Error {}

class Parser {
  readonly #characters: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#characters = [...text];
  }

  pattern(): TextNode {
    const node = this.#choice();
    if (this.#next !== undefined) throw new PatternSyntax('a `)` closes nothing in this pattern');
    return node;
  }

  get #next(): string | undefined {
    return this.#characters[this.#at];
  }

  #takes(character: string): boolean {
    if (this.#next !== character) return false;
    this.#at += 1;
    return true;
  }

  #choice(): TextNode {
    const branches = [this.#sequence()];
    while (this.#takes('|')) branches.push(this.#sequence());
    const [only] = branches;
    return branches.length === 1 && only !== undefined ? only : { kind: 'choice', branches };
  }

  #sequence(): TextNode {
    const items: TextNode[] = [];
    while (this.#next !== undefined && this.#next !== '|' && this.#next !== ')') items.push(this.#item());
    return { kind: 'sequence', items };
  }

  #item(): TextNode {
    if (this.#takes('^')) return { kind: 'start' };
    if (this.#takes('$')) return { kind: 'end' };
    const node = this.#atom();
    const bounds = this.#quantifier();
    if (bounds === undefined) return node;
    if (this.#quantifier() !== undefined) throw new PatternSyntax('a quantifier stands behind another one');
    return { kind: 'repeat', node, ...bounds };
  }

  #atom(): TextNode {
    if (this.#takes('(')) return this.#group();
    if (this.#takes('[')) return this.#class();
    if (this.#takes('.')) return characters(LINE_ENDS, true);
    if (this.#takes('\\')) return this.#escape();
    const character = String(this.#next);
    if ('*+?{}]'.includes(character))
      throw new PatternSyntax(`write \`\\${character}\` for the character itself`);
    this.#at += 1;
    return one(character);
  }

  #group(): TextNode {
    if (this.#takes('?') && !this.#takes(':')) throw new PatternSyntax('groups are `(…)` and `(?:…)` here');
    this.#depth += 1;
    if (this.#depth > MAX_NESTING) throw new PatternSyntax('groups are nested too deep');
    const node = this.#choice();
    if (!this.#takes(')')) throw new PatternSyntax('a group is not closed');
    this.#depth -= 1;
    return node;
  }

  #escape(): Characters {
    const character = this.#next ?? '';
    this.#at += 1;
    const known = CLASSES.get(character);
    if (known !== undefined) return known;
    const control = CONTROLS.get(character);
    if (control !== undefined) return characters([[control, control]]);
    if (/^[!-/:-@[-`{-~]$/.test(character)) return one(character);
    throw new PatternSyntax(`\`\\${character}\` is not known here`);
  }

  #class(): TextNode {
    const isNegated = this.#takes('^');
    const ranges: (readonly [number, number])[] = [];
    while (!this.#takes(']')) {
      const from = this.#member();
      const isRange = this.#next === '-' && this.#characters[this.#at + 1] !== ']';
      if (!isRange) {
        ranges.push(...from);
        continue;
      }
      this.#at += 1;
      const [low, high] = [from, this.#member()].map(soleCharacter);
      if (low === undefined || high === undefined || low > high) {
        throw new PatternSyntax('a range of a class has no order');
      }
      ranges.push([low, high]);
    }
    return characters(ranges, isNegated);
  }

  #member(): Ranges {
    const character = this.#next;
    if (character === undefined) throw new PatternSyntax('a class is not closed');
    if (character === '[') throw new PatternSyntax('write `\\[` for the character itself');
    this.#at += 1;
    if (character !== '\\') return one(character).ranges;
    const { ranges, isNegated } = this.#escape();
    if (isNegated) throw new PatternSyntax('write the opposite class outside of `[…]`');
    return ranges;
  }

  #quantifier(): { readonly min: number; readonly max: number } | undefined {
    if (this.#takes('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.#takes('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.#takes('?')) return { min: 0, max: 1 };
    if (!this.#takes('{')) return undefined;
    const end = this.#characters.indexOf('}', this.#at);
    const text = this.#characters.slice(this.#at, Math.max(end, this.#at)).join('');
    const [, least, comma, most = ''] = /^([0-9]{1,3})(,?)([0-9]{0,3})$/.exec(text) ?? [];
    const min = Number(least);
    const max = comma === '' ? min : most === '' ? Number.POSITIVE_INFINITY : Number(most);
    const isBounded = min <= MAX_REPEATS && (max === Number.POSITIVE_INFINITY || max <= MAX_REPEATS);
    if (!isBounded || min > max)
      throw new PatternSyntax(`write how often: \`{2}\`, \`{2,}\`, \`{2,5}\`, ${MAX_REPEATS} at most`);
    this.#at = end + 1;
    return { min, max };
  }
}

function soleCharacter(ranges: Ranges): number | undefined {
  const [range] = ranges;
  return ranges.length === 1 && range?.[0] === range?.[1] ? range?.[0] : undefined;
}

function one(character: string): Characters {
  const code = Number(character.codePointAt(0));
  return characters([[code, code]]);
}
