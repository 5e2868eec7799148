import { Transform } from 'node:stream';

/** An event that is longer is not the one that is looked for. */
const LONGEST_BYTES = 65_536;

interface FirstEvent {
  /** Where its first line begins; before it there are only comments and empty lines. */
  readonly start: number;
  /** Where the stream goes on after it; undefined while it is not complete. */
  readonly end: number | undefined;
  readonly type: string | undefined;
  readonly data: string;
}

/**
 * What an event stream passes through that may be of the HTTP+SSE transport of 2024-11-05: its first event, `endpoint`,
 * names the URL for messages, which is replaced. Every other stream passes as it is. An event is held until it is
 * complete, before which nobody could take it; then nothing is held any more.
 * @param replace gives what is said instead; undefined for what may not be said, which breaks the stream off.
 */
export function createEndpointRewriter(replace: (endpoint: string) => string | undefined): Transform {
  let held: Buffer | undefined = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      if (held === undefined) {
        callback(null, chunk);
        return;
      }
      held = Buffer.concat([held, chunk]);
      const { data, end, start, type } = firstEvent(held.toString('latin1'));
      const before = held.subarray(0, start);
      const rest = held.subarray(start);
      if (end === undefined && rest.length <= LONGEST_BYTES) {
        held = rest;
        callback(null, before);
        return;
      }
      held = undefined;
      if (end === undefined || type !== 'endpoint') {
        callback(null, Buffer.concat([before, rest]));
        return;
      }
      const endpoint = replace(Buffer.from(data, 'latin1').toString('utf8'));
      if (endpoint === undefined) {
        callback(new Error('the server names an endpoint elsewhere'));
        return;
      }
      const event = Buffer.from(`event: endpoint\ndata: ${endpoint}\n\n`);
      callback(null, Buffer.concat([before, event, rest.subarray(end - start)]));
    },
    flush(callback) {
      callback(null, held);
    },
  });
}

/** Finds the first event of a stream (HTML Living Standard, section 9.2.6). */
function firstEvent(text: string): FirstEvent {
  let start: number | undefined;
  let type: string | undefined;
  const data: string[] = [];
  let at = text.startsWith('\u00EF\u00BB\u00BF') ? 3 : 0;
  // A return at the end may have its line feed still to come.
  const line = /([^\r\n]*)(?:\r\n|\n|\r(?!$))/y;
  for (;;) {
    line.lastIndex = at;
    const [whole, content = ''] = line.exec(text) ?? [];
    if (whole === undefined) break;
    const begins = at;
    at = line.lastIndex;
    if (content === '') {
      if (start !== undefined) return { start, end: at, type, data: data.join('\n') };
    } else if (!content.startsWith(':')) {
      start ??= begins;
      const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(content) ?? [];
      if (name === 'event') type = value;
      else if (name === 'data') data.push(value);
    }
  }
  return { start: start ?? at, end: undefined, type, data: data.join('\n') };
}
