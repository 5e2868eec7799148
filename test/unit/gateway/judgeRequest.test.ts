import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgeRequest } from '../../../src/gateway/toolFilter.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const ALLOWED = ['read', 'read_more', 'größe', '=?base64?x?='];

function judge(body: string | Buffer, headers: Record<string, string> = {}) {
  return judgeRequest(Buffer.from(body), { ...JSON_TYPE, ...headers }, ALLOWED);
}

interface WireError {
  readonly id?: unknown;
  readonly error: { readonly code: number };
}

function short({ id, error }: WireError): unknown[] {
  return [id, error.code];
}

/** The status, and the errors as ids and codes. */
function refusalOf(body: string | Buffer, headers?: Record<string, string>): unknown {
  const verdict = judge(body, headers);
  if (verdict.type === 'forward') return 'forward';
  const parsed: WireError | WireError[] = JSON.parse(verdict.body);
  return [verdict.status, ...(Array.isArray(parsed) ? [parsed.map(short)] : short(parsed))];
}

const call = (name: string, rest = ''): string =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":${name}}${rest}}`;
const method = (method: string, params = '{}'): string =>
  `{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`;

describe('P43 a request of a client that may use some tools', () => {
  for (const body of [
    call('"read"'),
    call('"read_more"'),
    call('"größe"'),
    call(String.raw`"\u0072ead"`),
    ` \r\n\t${call(' "read" ')} \n`,
    String.raw`{"jsonrpc":"2.0","id":"a","m\u0065thod":"tools\/call","params":{"name":"read","arguments":{"name":"x","name":"y"}}}`,
    '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"read"}}',
    '{"id":1,"method":"tools/call","params":{"name":"read","task":{"ttl":1},"_meta":{"größe":1}}}',
    '{"jsonrpc":"2.0","id":1,"result":{"content":[],"name":"other","tools":[]}}',
    '{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":""}}',
    '{}',
    `[${call('"read"')},${method('ping')}]`,
    method('tools/list', '{"cursor":"x"}'),
    method('notifications/tools/list_changed'),
    method('completion/complete', '{"ref":{"type":"ref/prompt","name":"other"}}'),
    method('prompts/get', '{"name":"other"}'),
    method('tasks/result', '{"taskId":"1"}'),
    method('com.example/extra:thing', '[1]'),
    method('initialize', '{"clientInfo":{"name":"x"}}'),
    call('"read"', `,"x":${'['.repeat(100)}${']'.repeat(100)}`),
  ]) {
    it(`forwards ${body.slice(0, 90)} as it is`, () => {
      const bytes = Buffer.from(body);
      assert.deepEqual(judge(bytes), { type: 'forward', body: bytes });
    });
  }

  for (const [body, expected] of [
    [call('"other"'), [200, 1, -32602]],
    [call('"Read"'), [200, 1, -32602]],
    [call('"read "'), [200, 1, -32602]],
    [call(String.raw`"read\u0000"`), [200, 1, -32602]],
    [call('"gro\u0308ße"'), [200, 1, -32602]],
    [call('"*"'), [200, 1, -32602]],
    [call('["read"]'), [200, 1, -32602]],
    [call('null'), [200, 1, -32602]],
    ['{"id":1,"method":"tools/call"}', [200, 1, -32602]],
    ['{"id":1,"method":"tools/call","params":["read"]}', [200, 1, -32602]],
    ['{"id":1,"method":"tools/call","params":{"name":"other","task":{}}}', [200, 1, -32602]],
    [String.raw`{"id":1,"method":"tools\u002fcall","params":{"name":"other"}}`, [200, 1, -32602]],
    [String.raw`{"id":1,"\u006dethod":"tools/call","params":{"n\u0061me":"other"}}`, [200, 1, -32602]],
    ['{"id":1,"method":"tools/call","result":{},"params":{"name":"other"}}', [200, 1, -32602]],
    // A call that wants no answer is a call all the same.
    ['{"method":"tools/call","params":{"name":"other"}}', [403, undefined, -32602]],
    [method('tasks/list'), [200, 1, -32601]],
    [method('Tools/Call', '{"name":"other"}'), [200, 1, -32601]],
    [method('tools/call ', '{"name":"other"}'), [200, 1, -32601]],
    [method('/tools//call', '{"name":"other"}'), [200, 1, -32601]],
    [method('tools%2fcall', '{"name":"other"}'), [200, 1, -32601]],
    [method('tools/batch'), [200, 1, -32601]],
    [method('vendor.tool.run'), [200, 1, -32601]],
    [method(String.raw`too\u200bls/call`), [200, 1, -32601]],
    [method(String.raw`tools/call\u0000`), [200, 1, -32601]],
    [method(''), [200, 1, -32601]],
  ] as const) {
    it(`refuses ${body.slice(0, 90)}`, () => assert.deepEqual(refusalOf(body), expected));
  }

  it('says which tool it was, cut', () => {
    const verdict = judge(call(`"${'x'.repeat(500)}"`));
    assert.equal(verdict.type, 'refuse');
    assert.match(String(verdict.type === 'refuse' && verdict.body), /does not allow this client the tool \\"x{128}\\"/);
  });

  it('keeps the id as it was written', () => {
    for (const id of ['9007199254740993', '1e2', '-0', String.raw`"\u0061\"b"`, '"ö"']) {
      const verdict = judge(`{"id": ${id} ,"method":"tools/call","params":{"name":"other"}}`);
      assert.ok(verdict.type === 'refuse' && verdict.body.startsWith(`{"jsonrpc":"2.0","id":${id},"error":{`));
    }
  });

  for (const [body, expected] of [
    [
      `[${method('ping')},${call('"other"').replace(':1', ':2')}]`,
      [
        200,
        [
          [1, -32600],
          [2, -32602],
        ],
      ],
    ],
    ['[{"method":"tools/call","params":{"name":"other"}},{"id":7,"method":"ping"}]', [200, [[7, -32600]]]],
    ['[{"method":"tools/call","params":{"name":"other"}}]', [403, undefined, -32602]],
    [`[${call('"read"')},{"id":5,"result":{}},1]`, [400, [[1, -32600]]]],
    [`[${call('"other"')},{"id":null,"method":"ping"}]`, [400, [[1, -32602]]]],
    [`[[${call('"other"')}]]`, [400, undefined, -32600]],
    ['[]', [400, undefined, -32600]],
  ] as const) {
    it(`refuses all of the batch ${body.slice(0, 80)}, with an error for each request`, () => {
      assert.deepEqual(refusalOf(body), expected);
    });
  }
});

describe('P43 a body that another parser could read in another way is refused', () => {
  const read = '"params":{"name":"read"}';
  for (const [body, expected] of [
    [`{"id":1,"method":"ping","method":"tools/call",${read}}`, [400, 1, -32600]],
    [`{"id":1,"method":"tools/call",${read},${read}}`, [400, 1, -32600]],
    [`{"id":1,"id":2,"method":"tools/call",${read}}`, [400, undefined, -32600]],
    [`{"id":1,"ID":2,"method":"tools/call",${read}}`, [400, undefined, -32600]],
    ['{"id":1,"method":"tools/call","params":{"name":"read","name":"other"}}', [400, 1, -32600]],
    [String.raw`{"id":1,"method":"tools/call","params":{"name":"read","n\u0061me":"other"}}`, [400, 1, -32600]],
    ['{"id":1,"method":"tools/call","params":{"name":"read","Name":"other"}}', [400, 1, -32600]],
    ['{"id":1,"method":"tasks/get","params":{"taskid":"1"}}', [400, 1, -32600]],
    ['{"id":1,"method":"ping","Method":"tools/call","params":{"name":"other"}}', [400, 1, -32600]],
    ['{"id":1,"METHOD":"tools/call","params":{"name":"other"}}', [400, 1, -32600]],
    [`{"id":1,"method":"tools/call",${read},"paramſ":{"name":"other"}}`, [400, 1, -32600]],
    [String.raw`{"id":1,"method":"tools/call",${read},"params\u0000":{"name":"other"}}`, [400, 1, -32600]],
    [String.raw`{"id":1,"method":"tools/call","params":{"name":"read","na\ud800me":"other"}}`, [400, 1, -32600]],
    ['{"id":{},"method":"ping"}', [400, undefined, -32600]],
    ['{"id":null,"method":"ping"}', [400, undefined, -32600]],
    ['{"id":1,"method":["tools/call"]}', [400, 1, -32600]],
    [call('"read"', `,"x":${'['.repeat(200)}${']'.repeat(200)}`), [400, undefined, -32600]],
    [`${'['.repeat(200)}${']'.repeat(200)}`, [400, undefined, -32600]],
    ['"tools/call"', [400, undefined, -32600]],
    ['1', [400, undefined, -32600]],
    ['', [400, undefined, -32700]],
    [`\uFEFF${call('"read"')}`, [400, undefined, -32700]],
    [`${call('"read"')}${call('"other"')}`, [400, undefined, -32700]],
    [`${call('"read"')}\n${call('"other"')}`, [400, undefined, -32700]],
    [`${call('"read"')}//`, [400, undefined, -32700]],
    [`{'id':1}`, [400, undefined, -32700]],
    ['{"id":1,}', [400, undefined, -32700]],
    [Buffer.from(call('"read"'), 'utf16le'), [400, undefined, -32700]],
    [Buffer.concat([Buffer.from('{"id":"'), Buffer.from([0xff]), Buffer.from('"}')]), [400, undefined, -32700]],
    // An overlong "/", which some decoders take.
    [Buffer.concat([Buffer.from('{"id":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]), [400, undefined, -32700]],
    [
      Buffer.concat([Buffer.from('{"id":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
      [400, undefined, -32700],
    ],
  ] as const) {
    it(JSON.stringify(body.toString().slice(0, 90)), () => assert.deepEqual(refusalOf(body), expected));
  }

  it('in another type or encoding', () => {
    const body = call('"read"');
    for (const type of ['application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"']) {
      assert.equal(refusalOf(body, { 'content-type': type }), 'forward');
    }
    for (const headers of [
      { 'content-type': 'application/json; charset=utf-7' },
      { 'content-type': 'application/json; charset=utf-8; charset=utf-16' },
      { 'content-type': 'application/json, text/plain' },
      { 'content-type': 'text/plain' },
      { 'content-type': '' },
      { 'content-encoding': 'gzip' },
      { 'content-encoding': 'identity, br' },
    ]) {
      assert.deepEqual(refusalOf(body, headers), [415, undefined, -32600]);
    }
    assert.equal(refusalOf(body, { 'content-encoding': 'Identity' }), 'forward');
    assert.equal(judgeRequest(Buffer.from(body), {}, ALLOWED).type, 'refuse');
  });
});

function base64(text: string): string {
  return `=?base64?${Buffer.from(text).toString('base64')}?=`;
}

describe('P43 headers that mirror the body (2026-07-28) agree with it', () => {
  const resource = method('resources/read', '{"uri":"file:///a b","name":"read"}');
  for (const [body, headers, expected] of [
    [call('"read"'), { 'mcp-method': 'tools/call', 'mcp-name': 'read' }, 'forward'],
    [call('"read"'), { 'mcp-name': base64('read') }, 'forward'],
    [call('"größe"'), { 'mcp-method': 'tools/call', 'mcp-name': base64('größe') }, 'forward'],
    [call('"=?base64?x?="'), { 'mcp-name': base64('=?base64?x?=') }, 'forward'],
    [resource, { 'mcp-method': 'resources/read', 'mcp-name': 'file:///a b' }, 'forward'],
    [method('tasks/get', '{"taskId":"t"}'), { 'mcp-name': 't' }, 'forward'],
    [method('prompts/get', '{"name":"p"}'), { 'mcp-name': 'p' }, 'forward'],
    [call('"read"'), { 'mcp-method': 'tools/list' }, [400, 1, -32020]],
    [call('"read"'), { 'mcp-method': 'Tools/call' }, [400, 1, -32020]],
    [call('"read"'), { 'mcp-method': 'tools/call, tools/call' }, [400, 1, -32020]],
    [call('"read"'), { 'mcp-method': '' }, [400, 1, -32020]],
    [method('tools/list'), { 'mcp-method': 'tools/call' }, [400, 1, -32020]],
    [method('tools/list'), { 'mcp-name': 'other' }, [400, 1, -32020]],
    [call('"read"'), { 'mcp-name': 'other' }, [400, 1, -32020]],
    [call('"read"'), { 'mcp-name': 'read, read' }, [400, 1, -32020]],
    [call('"read"'), { 'mcp-name': base64('other') }, [400, 1, -32020]],
    [call('"read"'), { 'mcp-name': '=?base64?cmVhZ?=' }, [400, 1, -32020]],
    [call('"read"'), { 'mcp-name': '=?base64?cm VhZA==?=' }, [400, 1, -32020]],
    [call('"=?base64?x?="'), { 'mcp-name': '=?base64?x?=' }, [400, 1, -32020]],
    [resource, { 'mcp-name': 'read' }, [400, 1, -32020]],
    [method('prompts/get', '{"name":1}'), { 'mcp-name': '1' }, [400, 1, -32020]],
    ['{"id":1,"result":{}}', { 'mcp-method': 'tools/call' }, [400, undefined, -32020]],
    [`[${call('"read"')}]`, { 'mcp-method': 'tools/call' }, [400, [[1, -32020]]]],
    [`[${call('"read"')}]`, { 'mcp-name': 'read' }, [400, [[1, -32020]]]],
  ] as const) {
    it(`${JSON.stringify(headers)} with ${body.slice(0, 80)}`, () => {
      assert.deepEqual(refusalOf(body, headers), expected);
    });
  }
});
