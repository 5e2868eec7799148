import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { messageIds, operationOf, parseBody } from '../../../src/gateway/mcpMessage.ts';

const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'add', arguments: {} } };
const notification = { jsonrpc: '2.0', method: 'notifications/cancelled' };

describe('a body of messages', () => {
  for (const [title, body, operation, ids] of [
    ['a call of a tool', call, 'tools/call add', [1]],
    ['another request', { jsonrpc: '2.0', id: 'a', method: 'tools/list' }, 'tools/list', ['a']],
    ['a notification', notification, 'notifications/cancelled', []],
    ['an answer to the server', { jsonrpc: '2.0', id: 1, result: {} }, 'POST', []],
    [
      'a batch',
      [call, notification, { ...call, id: 2 }],
      'tools/call add, notifications/cancelled, tools/call add',
      [1, 2],
    ],
    ['an empty batch', [], 'POST', []],
    ['a name that is none', { ...call, params: { name: 1 } }, 'POST', []],
    ['an id that is none', { ...call, id: { a: 1 } }, 'POST', []],
    ['no message', 'text', 'POST', []],
    ['nothing', undefined, 'POST', []],
  ] as const) {
    it(`P25 ${title} is for ${operation}`, () => {
      assert.equal(operationOf('POST', body), operation);
      assert.deepEqual(messageIds(body), { ids, isBatch: Array.isArray(body) });
    });
  }

  it('that is no JSON is none', () => {
    assert.equal(parseBody(Buffer.from('{')), undefined);
    assert.equal(parseBody(undefined), undefined);
    assert.deepEqual(parseBody(Buffer.from('{"a":"☃"}')), { a: '☃' });
  });
});
