import {
  type AliasEvent,
  COLLECTION_STYLE,
  type DocumentEvent,
  EVENT_ID,
  type Event,
  getScalarValue,
  type MappingEvent,
  SCALAR_STYLE,
  type ScalarEvent,
  type SequenceEvent,
} from 'js-yaml';
import { keyName, type YamlEntry, type YamlNode, type YamlScalar, type YamlValue } from './yaml-node.ts';
import { beginsLine, type NodeEvent, startOf } from './yaml-place.ts';
import { isTagOf, readPlain, readTagged } from './yaml-scalar.ts';

/** Something wrong in a text, `offset` UTF-16 units from its beginning. */
export type ReportAt = (offset: number, message: string) => void;

/**
 * The one value that the events of a text make up, or undefined where there is none. Reports a second document, a `%YAML` other than 1.2, any
 * `%TAG`, a tag beyond the core schema or on what it does not fit, an alias without an anchor above (the collection that it is in is not above
 * it), a key behind another value on its line, one that is no text or an empty one, and one that is written twice in one map, as the same text: `1` and
 * `"1"` are one key.
 */
export function buildYaml(text: string, events: readonly Event[], report: ReportAt): YamlNode | undefined {
  const tree = new Tree(text, report);
  for (const event of events) if (!tree.add(event)) break;
  return tree.root;
}

/** A collection that is not at its end yet. */
type Open = {
  readonly anchor: string | undefined;
  /** Is it a map without braces? */
  readonly isBlockMap: boolean;
  /** Of the map's entry that has no value yet. */
  key: YamlNode | undefined;
} & (
  | { readonly node: { readonly kind: 'list'; readonly offset: number; readonly items: YamlNode[] } }
  | { readonly node: { readonly kind: 'map'; readonly offset: number; readonly entries: YamlEntry[] } }
);

class Tree {
  root: YamlNode | undefined;
  readonly #text: string;
  readonly #report: ReportAt;
  readonly #open: Open[] = [];
  readonly #anchors = new Map<string, YamlValue>();
  #documents = 0;
  /** All before it was read. */
  #offset = 0;

  constructor(text: string, report: ReportAt) {
    this.#text = text;
    this.#report = report;
  }

  /** False where the rest of the text is another document. */
  add(event: Event): boolean {
    switch (event.type) {
      case EVENT_ID.DOCUMENT:
        return this.#begin(event);
      case EVENT_ID.SCALAR:
        this.#end(this.#scalar(event), this.#anchor(event));
        break;
      case EVENT_ID.ALIAS:
        this.#alias(event);
        break;
      case EVENT_ID.POP:
        this.#close();
        break;
      default:
        this.#openCollection(event);
    }
    return true;
  }

  #begin({ explicitStart, directives }: DocumentEvent): boolean {
    const marker = explicitStart ? this.#text.slice(this.#offset).search(/^\ufeff?---/m) : 0;
    this.#documents += 1;
    if (marker < 0) this.#report(this.#offset, 'write --- at the beginning of its line, or leave it out');
    if (this.#documents > 1) {
      this.#report(this.#offset + marker, 'write one document; a second one begins here');
      return false;
    }
    for (const directive of directives) {
      if (directive.kind === 'yaml' && directive.version === '1.2') continue;
      this.#report(0, `leave the line with %${directive.kind.toUpperCase()} out; this is read as YAML 1.2`);
    }
    if (explicitStart) this.#offset += marker + '---'.length;
    return true;
  }

  #refuseKeyBehindValue(event: NodeEvent): void {
    const parent = this.#open.at(-1);
    if (parent?.isBlockMap !== true || parent.key !== undefined || beginsLine(this.#text, event)) return;
    this.#report(startOf(event), 'write this key on a line of its own');
  }

  #scalar(event: ScalarEvent): YamlScalar {
    this.#refuseKeyBehindValue(event);
    const isWritten = event.valueStart >= 0;
    const offset = isWritten ? event.valueStart : this.#offsetOfNothing();
    if (isWritten) this.#offset = event.valueEnd;
    const source = getScalarValue(this.#text, event);
    if (event.style === SCALAR_STYLE.DOUBLE_QUOTED && !hasPossibleEscapes(this.#text, event)) {
      this.#report(offset, 'there is no character beyond `\\U0010FFFF`');
    }
    const tag = this.#tag(event);
    if (tag === undefined) {
      const value = event.style === SCALAR_STYLE.PLAIN ? readPlain(source) : source;
      return { kind: 'scalar', offset, source, value };
    }
    const value = readTagged(source, tag);
    if (value === undefined) this.#refuseTag(offset, tag);
    return { kind: 'scalar', offset, source, value: value ?? null };
  }

  /** Of a value, where what it is of ends; of a key, the sign behind it. */
  #offsetOfNothing(): number {
    const parent = this.#open.at(-1);
    if (parent?.node.kind !== 'map' || parent.key !== undefined) return this.#offset;
    const sign = this.#offset + this.#text.slice(this.#offset).search(/\S|$/);
    this.#offset = sign + 1;
    return sign;
  }

  #alias(event: AliasEvent): void {
    this.#refuseKeyBehindValue(event);
    const { anchorStart, anchorEnd } = event;
    const name = this.#text.slice(anchorStart, anchorEnd);
    const target = this.#anchors.get(name);
    this.#offset = anchorEnd;
    if (target === undefined) this.#report(anchorStart, `there is no anchor \`&${name}\` above`);
    this.#put({ kind: 'alias', offset: anchorStart, target: target ?? NOTHING });
  }

  #openCollection(event: SequenceEvent | MappingEvent): void {
    this.#refuseKeyBehindValue(event);
    const offset = event.start;
    this.#offset = Math.max(this.#offset, offset);
    const kind = event.type === EVENT_ID.SEQUENCE ? 'list' : 'map';
    const tag = this.#tag(event);
    if (tag !== undefined && !isTagOf(kind, tag)) this.#refuseTag(offset, tag);
    const isBlockMap = kind === 'map' && event.style === COLLECTION_STYLE.BLOCK;
    const place = { anchor: this.#anchor(event), isBlockMap, key: undefined };
    if (kind === 'list') this.#open.push({ ...place, node: { kind, offset, items: [] } });
    else this.#open.push({ ...place, node: { kind, offset, entries: [] } });
  }

  /** The end of a collection, or of the document. */
  #close(): void {
    const closed = this.#open.pop();
    if (closed === undefined) return;
    if (closed.node.kind === 'map') this.#refuseKeys(closed.node.entries);
    this.#end(closed.node, closed.anchor);
  }

  /** A value is whole: from here on aliases may stand for it. */
  #end(value: YamlValue, anchor: string | undefined): void {
    if (anchor !== undefined) this.#anchors.set(anchor, value);
    this.#put(value);
  }

  #put(node: YamlNode): void {
    const parent = this.#open.at(-1);
    if (parent === undefined) this.root = node;
    else if (parent.node.kind === 'list') parent.node.items.push(node);
    else if (parent.key === undefined) parent.key = node;
    else {
      parent.node.entries.push({ key: parent.key, value: node });
      parent.key = undefined;
    }
  }

  #refuseKeys(entries: readonly YamlEntry[]): void {
    const seen = new Set<string>();
    for (const { key } of entries) {
      const name = keyName(key);
      if (name === '') this.#report(key.offset, 'write a name for a key, which is text and no alias');
      else if (seen.has(name)) this.#report(key.offset, `the key \`${name}\` is repeated`);
      seen.add(name);
    }
  }

  #refuseTag(offset: number, tag: string): void {
    this.#report(offset, `the tag \`${tag}\` does not fit here; leave it out`);
  }

  #tag({ tagStart, tagEnd }: ScalarEvent | SequenceEvent | MappingEvent): string | undefined {
    return tagStart < 0 ? undefined : this.#text.slice(tagStart, tagEnd);
  }

  #anchor({ anchorStart, anchorEnd }: ScalarEvent | SequenceEvent | MappingEvent): string | undefined {
    if (anchorStart < 0) return undefined;
    const name = this.#text.slice(anchorStart, anchorEnd);
    // To YAML 1.2 it is part of the name. To others, and to authors, the name ends there.
    if (name.includes(':'))
      this.#report(anchorStart, 'an anchor has no colon in its name; put a space before it');
    return name;
  }
}

/** Does every escape of a text in double quotes stand for a character? The library does not look. */
function hasPossibleEscapes(text: string, { valueStart, valueEnd }: ScalarEvent): boolean {
  const escapes = text.slice(valueStart, valueEnd).matchAll(/\\(?:U([0-9A-Fa-f]{8})|[^U])/g);
  return [...escapes].every(([, digits = '0']) => Number.parseInt(digits, 16) <= 0x10_ff_ff);
}

/** Nobody reads it: the file has an error. */
const NOTHING: YamlScalar = { kind: 'scalar', offset: 0, source: '', value: null };
