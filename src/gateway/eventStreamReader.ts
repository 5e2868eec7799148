import { OAuthError } from '../oauth/errors.ts';

/** One event of a stream, as far as MCP needs it. */
export interface StreamEvent {
  /** `message` unless it says something else. */
  readonly type: string;
  readonly data: string;
}

/**
 * Reads a stream of events (the HTML standard, "Server-sent events").
 * Throws `response_too_large` when all of it is longer than the limit, and what the stream throws.
 * @param limit.url for the error
 */
export async function* readEvents(
  stream: AsyncIterable<Uint8Array>,
  limit: { readonly url: string; readonly limitBytes: number },
): AsyncGenerator<StreamEvent, void> {
  const decoder = new TextDecoder();
  let length = 0;
  /** The line that has not ended, in pieces. */
  let line: string[] = [];
  let isAfterCr = false;
  let type = '';
  let data: string[] = [];
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > limit.limitBytes) throw new OAuthError('response_too_large', { ...limit });
    let text = decoder.decode(chunk, { stream: true });
    // The second half of a CRLF, whose first half has ended the line already.
    if (isAfterCr && text.startsWith('\n')) text = text.slice(1);
    if (text !== '') isAfterCr = text.endsWith('\r');
    const [ending = '', ...lines] = text.split(/\r\n|\n|\r/);
    line.push(ending);
    const rest = lines.pop();
    // What comes in many pieces is looked through once.
    if (rest === undefined) continue;
    lines.unshift(line.join(''));
    line = [rest];
    for (const field of lines) {
      const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(field) ?? [];
      if (name === 'event') type = value;
      else if (name === 'data') data.push(value);
      if (field !== '') continue;
      if (data.length > 0) yield { type: type === '' ? 'message' : type, data: data.join('\n') };
      type = '';
      data = [];
    }
  }
}
