import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { object, string } from 'valibot';
import { LONGEST_MESSAGE_BYTES, messageConnection } from '../../../src/owner/messageStream.ts';
import { guestRequests } from '../../../src/owner/windowProtocol.ts';
import { ask, serve } from '../../../src/owner/windowRpc.ts';
import { MemoryLog } from '../../headless/memoryPorts.ts';
import { socketPair } from './socketPair.ts';

const echo = { method: 'echo', params: object({ text: string() }), result: object({ text: string() }) };

function frame(length: number, text = ''): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(length);
  return Buffer.concat([head, Buffer.from(text)]);
}

/** What a message with something else at this place is told as. */
const unexpectedAt = (place: string) => ({
  code: 'unexpected',
  details: { problem: `another window sent what is not as expected at ${place}` },
});

describe('messages between windows', () => {
  it('come whole, whatever their size, and in their order', async (t) => {
    const { owner, guest } = await socketPair(t);
    const [server, client] = [messageConnection(owner, new MemoryLog()), messageConnection(guest, new MemoryLog())];
    const heard: number[] = [];
    serve(server, echo, async ({ text }) => {
      heard.push(text.length);
      return { text };
    });
    server.listen();
    client.listen();
    const sizes = [0, 1, 100_000, 1, 3_000_000, 2];
    const answers = await Promise.all(sizes.map(async (size) => ask(client, echo, { text: 'é'.repeat(size) })));
    assert.deepEqual(heard, sizes);
    assert.deepEqual(
      answers.map(({ text }) => text.length),
      sizes,
    );
  });

  it('that are too long are not sent, and the next one is', async (t) => {
    const { owner, guest } = await socketPair(t);
    const [server, client] = [messageConnection(owner, new MemoryLog()), messageConnection(guest, new MemoryLog())];
    serve(server, echo, async ({ text }) => ({ text }));
    server.listen();
    client.listen();
    await assert.rejects(ask(client, echo, { text: 'x'.repeat(LONGEST_MESSAGE_BYTES) }), { code: 'owner_gone' });
    assert.equal((await ask(client, echo, { text: 'next' })).text, 'next');
  });

  it('that are not as expected are told, at both ends', async (t) => {
    const { owner, guest } = await socketPair(t);
    const [server, client] = [messageConnection(owner, new MemoryLog()), messageConnection(guest, new MemoryLog())];
    serve(server, echo, async ({ text }) => ({ text }));
    server.onRequest('broken', async () => ({ text: 7 }));
    serve(server, guestRequests.openBrowser, async () => ({ isOpened: true }));
    server.listen();
    client.listen();
    await assert.rejects(ask(client, { ...echo, method: 'broken' }, { text: '' }), unexpectedAt('text'));
    await assert.rejects(ask(client, { ...echo, params: object({}) }, {}), unexpectedAt('text'));
    for (const url of ['file:///etc/passwd', 'command:evil', 'no url']) {
      await assert.rejects(ask(client, guestRequests.openBrowser, { url }), unexpectedAt('url'));
    }
  });

  for (const [what, bytes] of [
    ['longer than any of ours', frame(LONGEST_MESSAGE_BYTES + 1)],
    ['no JSON', frame(3, 'xyz')],
    ['JSON of something else', frame(2, '{}')],
    ['null', frame(4, 'null')],
    ['cut off', frame(100, '{"jsonrpc":')],
  ] as const) {
    it(`that are ${what} end the connection, and what waits for an answer hears of it`, async (t) => {
      const { owner, guest } = await socketPair(t);
      const client = messageConnection(guest, new MemoryLog());
      client.listen();
      const answer = ask(client, echo, { text: 'x' });
      answer.catch(() => undefined);
      owner.stream.end(bytes);
      await assert.rejects(answer, { code: 'owner_gone' });
      if (!guest.stream.destroyed) await once(guest.stream, 'close');
    });
  }

  it('to a window that reads none are not kept for ever: it is cut off', async (t) => {
    const { owner, guest } = await socketPair(t);
    guest.stream.pause();
    const server = messageConnection(owner, new MemoryLog());
    server.listen();
    const text = 'x'.repeat(LONGEST_MESSAGE_BYTES / 2);
    for (let count = 0; count < 50 && !owner.stream.destroyed; count += 1) {
      await server.sendNotification('told', { text }).catch(() => undefined);
    }
    assert.equal(owner.stream.destroyed, true);
  });
});
