import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { createAnswerFilter, filterAnswer as filterWhole, isFilterable } from '../../../src/gateway/toolFilter.ts';
import { cut, filterAnswer } from './filtering.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const EVENTS = 'Text/Event-Stream;charset=utf-8';
const ALLOWED = ['read', 'größe'];

const list = (tools: string, more = ''): string => `{"jsonrpc":"2.0","id":1,"result":{"tools":${tools}${more}}}`;
const READ = '{"name":"read","inputSchema":{"properties":{"name":{"enum":["]","}","\\"",","]}}}}';
const OTHER = '{ "inputSchema": {"tools":["\\\\"]}, "name" : "other" }';

/** Whole, in two, and in single bytes. */
const CUTS = [[Infinity], [17], [1]];

describe('P43 an answer in JSON', () => {
  for (const [body, expected] of [
    [list(`[${READ},${OTHER}]`), list(`[${READ}]`)],
    [list(`[${OTHER},${READ}]`), list(`[${READ}]`)],
    [list(`[${OTHER} , ${OTHER}]`, ',"nextCursor":"x"'), list('[]', ',"nextCursor":"x"')],
    [list(`[ ${READ} , ${OTHER} , ${READ} ]`), list(`[ ${READ} , ${READ} ]`)],
    [list(`[\n  ${OTHER},\n  ${READ},\n  ${READ}\n]`), list(`[\n  ${READ},\n  ${READ}\n]`)],
    [list('[{"name":"größe"},{"name":"gr\\u00f6\\u00dfe"},{"n\\u0061me":"read"}]'), undefined],
    [list('[{"name":"gro\u0308ße"},{"name":"Read"},{"name":"read "},{"n\\u0061me":"\\u006fther"}]'), list('[]')],
    [list('["read",1,null,[],{},{"name":1},{"title":"read"},[{"name":"read"}]]'), list('[]')],
    // Parsers differ in which of two they take.
    [
      list('[{"name":"read","name":"other"},{"name":"other","name":"read"},{"name":"read","Name":"other"}]'),
      list('[]'),
    ],
    [
      `{"result":{"tools":[${OTHER}],"tools":[${OTHER}]},"result":{"tools":[${OTHER}]}}`,
      '{"result":{"tools":[],"tools":[]},"result":{"tools":[]}}',
    ],
    [
      `{"r\\u0065sult":{"\\u0074\\u006f\\u006f\\u006c\\u0073":[${OTHER}]}}`,
      '{"r\\u0065sult":{"\\u0074\\u006f\\u006f\\u006c\\u0073":[]}}',
    ],
    [
      ` \uFEFF[${list(`[${OTHER}]`)} , {"method":"x"},${list(`[${OTHER},${READ}]`)}]\n`,
      ` \uFEFF[${list('[]')} , {"method":"x"},${list(`[${READ}]`)}]\n`,
    ],
    [`${list(`[${OTHER}]`)}\n${list(`[${OTHER}]`)}`, `${list('[]')}\n${list('[]')}`],
    [
      `{"result":{"_meta":{"tools":[{"name":"other"}]},"tools":[${OTHER}]}}`,
      '{"result":{"_meta":{"tools":[{"name":"other"}]},"tools":[]}}',
    ],
    // What is not complete is not a tool that is allowed.
    [`{"result":{"tools":[${READ},{"name":"read"`, `{"result":{"tools":[${READ}`],
    [list(`[ ]`), undefined],
    [list('{"name":"other"}'), undefined],
    [
      `{"result":{"a":{"tools":[${OTHER}]},"content":[{"tools":[${OTHER}]}],"structuredContent":{"tools":[${OTHER}]}}}`,
      undefined,
    ],
    [
      `{"params":{"tools":[${OTHER}]},"tools":[${OTHER}],"x":{"result":{"tools":[${OTHER}]}},"method":"sampling/createMessage"}`,
      undefined,
    ],
    [`{"error":{"data":{"tools":[${OTHER}]}},"x":"result","y":{"tools":[${OTHER}]}}`, undefined],
    ['<html>"{', undefined],
    ['', undefined],
  ] as const) {
    it(`${JSON.stringify(body.slice(0, 100))} ${expected === undefined ? 'passes as it is' : 'loses tools'}`, async () => {
      for (const sizes of CUTS) {
        assert.equal(await filterAnswer(JSON_TYPE, cut(body, sizes), ALLOWED), expected ?? body);
      }
      assert.equal(filterWhole(Buffer.from(body), ALLOWED).toString(), expected ?? body);
    });
  }

  it('passes bytes that are no text', async () => {
    const bytes = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 167) % 256));
    const filter = createAnswerFilter({}, ALLOWED);
    filter.end(bytes);
    assert.deepEqual(await buffer(filter), bytes);
  });

  it('is held back by no byte, but for a tool that is not complete', () => {
    const filter = createAnswerFilter({ 'content-type': JSON_TYPE }, ALLOWED);
    filter.write('{"result":{"content":"ab');
    assert.equal(String(filter.read()), '{"result":{"content":"ab');
    filter.write('c","tools":[{"name":"read"');
    assert.equal(String(filter.read()), 'c","tools":[');
    filter.write('},{"na');
    assert.equal(String(filter.read()), '{"name":"read"}');
    filter.write('me":"other"}],"x":');
    assert.equal(String(filter.read()), '],"x":');
  });

  it('leaves out a tool that is too large, and takes the next one', async () => {
    const large = `{"name":"read","description":"${'x'.repeat(1024 * 1024)}"}`;
    for (const sizes of [[Infinity], [65_536]]) {
      const body = list(`[${READ},${large},${READ}]`, ',"x":1');
      assert.equal(await filterAnswer(JSON_TYPE, cut(body, sizes), ALLOWED), list(`[${READ},${READ}]`, ',"x":1'));
      const first = list(`[${large},${READ}]`);
      assert.equal(await filterAnswer(JSON_TYPE, cut(first, sizes), ALLOWED), list(`[${READ}]`));
    }
  });
});

describe('P43 a stream of events', () => {
  const bad = list(`[${OTHER}]`);
  const good = list('[]');
  for (const [body, expected] of [
    [`data: ${bad}\n\n`, `data: ${good}\n\n`],
    [`data:${bad}\r\rdata: ${bad}\r\r`, `data:${good}\r\rdata: ${good}\r\r`],
    [
      `: hello\r\nretry: 5\r\nid: 1\r\nevent: message\r\ndata: ${bad}\r\n\r\n:\r\ndata: ${bad}\r\n\r\n`,
      `: hello\r\nretry: 5\r\nid: 1\r\nevent: message\r\ndata: ${good}\r\n\r\n:\r\ndata: ${good}\r\n\r\n`,
    ],
    [`\uFEFFdata: ${bad}\n\n`, `\uFEFFdata: ${good}\n\n`],
    [`\uFEFF\uFEFFdata: ${bad}\n\n`, `\uFEFF\uFEFFdata: ${good}\n\n`],
    [`\n\n\r\n\rdata: ${bad}\n\n`, `\n\n\r\n\rdata: ${good}\n\n`],
    // The fields between the lines stay, where a tool around them goes.
    [
      'data: {"result":{"tools":[\nid: 7\ndata: {"name":\n: why\nretry: 3\ndata:"other"}, {"name":"read"\ndata\ndata: }\ndata: ]}}\nid: 8\n\n',
      'data: {"result":{"tools":[\nid: 7\ndata:\n: why\nretry: 3\ndata: {"name":"read"\ndata\ndata: }\ndata: ]}}\nid: 8\n\n',
    ],
    [
      'data: {"result":\rdata: {"tools":[\r\ndata: {"name":"other"}]}}\r\n\r\n',
      'data: {"result":\rdata: {"tools":[\r\ndata:]}}\r\n\r\n',
    ],
    // An event that ends within its JSON.
    [`data: {"result":{"tools":[{"name":"ot\n\ndata: ${bad}\n\n`, `data: {"result":{"tools":[\n\ndata: ${good}\n\n`],
    [`data: {"x":"\n\ndata: ${bad}\n\n`, `data: {"x":"\n\ndata: ${good}\n\n`],
    [`data: {"result":{\n\ndata: {"tools":[${OTHER}]}}\n\n`, undefined],
    [`event: endpoint\ndata: /messages?sessionId=1\n\n`, undefined],
    [`dat: ${bad}\n datum: ${bad}\ndata : ${bad}\nDATA: ${bad}\nxdata: ${bad}\nda\uFEFFta: ${bad}\n\n`, undefined],
    [`: data: ${bad}\n\n`, undefined],
  ] as const) {
    it(`${JSON.stringify(body.slice(0, 100))} ${expected === undefined ? 'passes as it is' : 'loses tools'}`, async () => {
      for (const sizes of CUTS) {
        assert.equal(await filterAnswer(EVENTS, cut(body, sizes), ALLOWED), expected ?? body);
      }
    });
  }

  it('is not held back', () => {
    const filter = createAnswerFilter({ 'content-type': EVENTS }, ALLOWED);
    for (const piece of ['id', ': 1\nda', 'ta: {"resu', 'lt":{}}', '\n', '\n', ':']) {
      filter.write(piece);
      assert.equal(String(filter.read()), piece);
    }
  });

  it('leaves out a tool that is too large, with its fields kept', async () => {
    const lines = 'data: x\nid: 3\n'.repeat(100_000);
    const body = `data: {"result":{"tools":[{"name":"read","x":"\n${lines}data: "},{"name":"read"}]}}\n\n`;
    const kept = 'data:\nid: 3\n'.repeat(100_000);
    const expected = `data: {"result":{"tools":[\n${kept}data:{"name":"read"}]}}\n\n`;
    assert.equal(await filterAnswer(EVENTS, cut(body, [65_536]), ALLOWED), expected);
  });
});

it('P43 an answer that cannot be read is not one to filter', () => {
  for (const [headers, expected] of [
    [{}, true],
    [{ 'content-type': 'text/event-stream;charset=UTF-8', 'transfer-encoding': 'chunked' }, true],
    [{ 'content-encoding': 'identity' }, true],
    [{ 'content-encoding': 'gzip' }, false],
    [{ 'content-encoding': 'identity, br' }, false],
    [{ 'transfer-encoding': 'gzip, chunked' }, false],
    [{ 'content-range': 'bytes 10-20/30' }, false],
    [{ 'content-type': 'application/json; charset=utf-16le' }, false],
    [{ 'content-type': 'application/json; charset="utf-7"' }, false],
  ] as const) {
    assert.equal(isFilterable(headers), expected, JSON.stringify(headers));
  }
});
