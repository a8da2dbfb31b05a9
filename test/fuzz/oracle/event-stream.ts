/** An event as a client dispatches it. */
export type Dispatched = { readonly data: string; readonly type: string; readonly lastEventId: string };

/** Reads a whole event stream as HTML §9.2.6 has it, character for character: a field at a time, unfinished events dropped. */
export function readEvents(stream: string): readonly Dispatched[] {
  const events: Dispatched[] = [];
  let fields = { data: '', type: '', line: '' };
  let lastEventId = '';
  const endLine = () => {
    const { line } = fields;
    if (line === '') {
      const data = fields.data.replace(/\n$/, '');
      // An event whose data are empty is not dispatched (§9.2.6, step 2): that is the empty buffer, not an empty line in it.
      if (fields.data !== '') events.push({ data, type: fields.type, lastEventId });
      fields = { data: '', type: '', line: '' };
      return;
    }
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') fields.data += `${value}\n`;
    if (name === 'event') fields.type = value;
    if (name === 'id' && !value.includes('\0')) lastEventId = value;
    fields.line = '';
  };
  const text = stream.startsWith('\ufeff') ? stream.slice(1) : stream;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '\r' && text.charAt(at + 1) === '\n') at += 1;
    if (character === '\r' || character === '\n') endLine();
    else fields.line += character;
  }
  return events;
}
