import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { readEvents, type StreamEvent } from '../../../src/gateway/eventStreamReader.ts';
import { cut } from './filtering.ts';

const LIMIT = { url: 'http://127.0.0.1/', limitBytes: 100_000 };

async function eventsOf(stream: string, sizes: readonly number[]): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for await (const event of readEvents(Readable.from(cut(stream, sizes)), LIMIT)) events.push(event);
  return events;
}

describe('P37 a stream of events', () => {
  for (const [stream, expected] of [
    ['data: a\n\ndata:b\r\n\r\ndata:  c\r\r', ['a', 'b', ' c']],
    ['\uFEFFdata: a\ndata\ndata: b\n\n', ['a\n\nb']],
    [': data: a\nid: 1\nretry: 5\nDATA: x\n\ndata: a\n', []],
    ['event: endpoint\ndata: /x\n\nevent: message\ndata: a:b\n\n', ['endpoint /x', 'a:b']],
    ['event: endpoint\n\ndata: ö\n\n', ['ö']],
  ] as const) {
    it(JSON.stringify(stream), async () => {
      for (const sizes of [[Infinity], [1], [3]]) {
        const read = await eventsOf(stream, sizes);
        const told = read.map(({ data, type }) => (type === 'message' ? data : `${type} ${data}`));
        assert.deepEqual(told, expected);
      }
    });
  }

  it('is read as another parser reads it, in pieces of any size', async () => {
    const line = fc.constantFrom(
      'data: a',
      'data',
      'data:',
      'event: x',
      'event',
      ': c',
      'id: 1',
      '',
      '',
      'data: ö: 1',
      'x',
    );
    const end = fc.constantFrom('\n', '\r\n', '\r');
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
    const property = fc.asyncProperty(fc.array(line), end, sizes, async (lines, end, sizes) => {
      const stream = `${lines.join(end)}${end}`;
      const expected: StreamEvent[] = [];
      const parser = createParser({ onEvent: ({ data, event }) => expected.push({ type: event ?? 'message', data }) });
      parser.feed(stream);
      // It takes a CR at the end for half of an end of a line, and waits for the rest.
      if (end === '\r') parser.feed('\n');
      assert.deepEqual(await eventsOf(stream, sizes), expected);
    });
    await fc.assert(property, { numRuns: 500 });
  });

  it('is bounded', async () => {
    await assert.rejects(eventsOf('data: x\n\n'.repeat(20_000), [65_536]), {
      code: 'response_too_large',
      details: LIMIT,
    });
  });
});
