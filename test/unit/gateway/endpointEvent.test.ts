import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { createEndpointRewriter } from '../../../src/gateway/endpointEvent.ts';

const replace = (endpoint: string): string => `[${endpoint}]`;
const OURS = 'event: endpoint\ndata: [/m]\n\n';

/** With a byte order mark, if there is one. */
async function text(stream: Parameters<typeof buffer>[0]): Promise<string> {
  return (await buffer(stream)).toString();
}

/** What comes of a stream that comes in these pieces. */
async function rewritten(...pieces: readonly Uint8Array[]): Promise<string> {
  const rewriter = createEndpointRewriter(replace);
  for (const piece of pieces) rewriter.write(piece);
  rewriter.end();
  return text(rewriter);
}

describe('P37 the endpoint event of the older transport', () => {
  for (const [title, stream, expected] of [
    ['is replaced', 'event: endpoint\ndata: /m\n\n', OURS],
    ['with carriage returns', 'event: endpoint\r\ndata: /m\r\n\r\nrest', `${OURS}rest`],
    ['with carriage returns alone', 'event: endpoint\rdata: /m\r\rrest', `${OURS}rest`],
    ['without spaces', 'event:endpoint\ndata:/m\n\n', OURS],
    ['with its data first', 'data: /m\nevent: endpoint\n\n', OURS],
    [
      'after comments and empty lines',
      ': hello\n\n\n: again\nevent: endpoint\ndata: /m\n\n',
      `: hello\n\n\n: again\n${OURS}`,
    ],
    ['with a comment in it', 'event: endpoint\n: why\ndata: /m\n\n', OURS],
    ['with other fields', 'id: 1\nretry: 5\nevent: endpoint\ndata: /m\n\n', OURS],
    ['after a byte order mark', '\uFEFFevent: endpoint\ndata: /m\n\n', `\uFEFF${OURS}`],
    ['with letters of any script', 'event: endpoint\ndata: /ü☃\n\n', 'event: endpoint\ndata: [/ü☃]\n\n'],
    [
      'only the first',
      'event: endpoint\ndata: /m\n\nevent: endpoint\ndata: /m\n\n',
      `${OURS}event: endpoint\ndata: /m\n\n`,
    ],
    ['not after another event', 'data: 1\n\nevent: endpoint\ndata: /m\n\n', undefined],
    ['not another name', 'event: endpoints\ndata: /m\n\n', undefined],
    ['not a name in its data', 'data: event: endpoint\n\n', undefined],
    ['not one that never ends', 'event: endpoint\ndata: /m\n', undefined],
    ['no event', '', undefined],
    ['no event but a comment', ': ping', undefined],
  ] as const) {
    it(`${title}, in whatever pieces it comes`, async () => {
      const wanted = expected ?? stream;
      const bytes = Buffer.from(stream);
      assert.equal(await rewritten(bytes), wanted);
      assert.equal(await rewritten(...Array.from(bytes, (byte) => Uint8Array.of(byte))), wanted);
      for (let at = 1; at < bytes.length; at += 1) {
        assert.equal(await rewritten(bytes.subarray(0, at), bytes.subarray(at)), wanted);
      }
    });
  }

  it('holds nothing back but an event that is not complete, and not even that for ever', () => {
    const rewriter = createEndpointRewriter(replace);
    const passed = (piece: string): string => {
      rewriter.write(piece);
      return String(rewriter.read() ?? '');
    };
    assert.equal(passed(': ping\n\n'), ': ping\n\n');
    assert.equal(passed('data: '), '');
    assert.equal(passed('x'.repeat(70_000)), `data: ${'x'.repeat(70_000)}`);
    assert.equal(passed('y'), 'y');
  });

  it('that may not be said breaks the stream off', async () => {
    const rewriter = createEndpointRewriter(() => undefined);
    rewriter.end('event: endpoint\ndata: /m\n\n');
    await assert.rejects(text(rewriter), /names an endpoint elsewhere/);
  });
});
