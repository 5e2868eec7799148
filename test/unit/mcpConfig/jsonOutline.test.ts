import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { clientOf } from './clientOf.ts';
import { fileShapes } from './fileShapes.ts';
import { readServers } from '../../../src/mcpConfig/configServers.ts';
import { outlineJson, serversPlan } from '../../../src/mcpConfig/jsonOutline.ts';

const plan = { servers: 'servers' } as const;
const shapes = fileShapes.filter(({ client }) => clientOf(client).syntax !== 'toml');

function namesIn(text: string): string[] {
  return outlineJson(text, plan).servers.map(({ name }) => name);
}

/** Servers `a`, `c` and `d`, each on lines of its own, with something after the first one. */
const laidOut = (second: string) => `{
  "servers": {
    "a": { "url": "https://a.example" },
    ${second}
    "c": {
      "url": "https://c.example"
    },
    "d": { "url": "https://d.example" }
  }
}`;

describe('the outline of a file in JSON', () => {
  for (const { title, client: id, text } of shapes) {
    test(`${title}: has the servers that a parser finds, where it finds them`, () => {
      const client = clientOf(id);
      const { servers } = outlineJson(text, serversPlan(client));
      assert.deepEqual(
        servers
          .filter(({ path }) => path.length === 2)
          .map(({ name, nameRange, range }) => ({ name, nameRange, range })),
        readServers(text, client).servers.map(({ name, nameRange, range }) => ({ name, nameRange, range })),
      );
    });

    test(`${title}: cut off anywhere, or with anything left out, it is outlined all the same`, () => {
      for (let at = 0; at < text.length; at += 1) {
        outlineJson(text.slice(0, at), serversPlan(clientOf(id)));
        outlineJson(text.slice(0, at) + text.slice(at + 1), serversPlan(clientOf(id)));
      }
    });
  }

  test('Claude Code: the servers of single folders are found below them', () => {
    const { text } = shapes.find(({ client }) => client === 'claude-code') ?? assert.fail();
    assert.deepEqual(
      outlineJson(text, serversPlan(clientOf('claude-code'))).servers.map(({ path }) => path),
      [
        ['projects', '/home/me/site', 'mcpServers', 'sentry'],
        ['mcpServers', 'sentry'],
      ],
    );
  });

  test('is that of a parser for whatever is right', () => {
    const value = fc.jsonValue();
    const servers = fc.dictionary(fc.string(), value, { noNullPrototype: true });
    const files = fc.record({ before: value, servers, after: value }, { noNullPrototype: true });
    fc.assert(
      fc.property(files, fc.constantFrom(undefined, 1, '\t'), fc.boolean(), (file, space, windows) => {
        const unix = JSON.stringify(file, undefined, space);
        const text = windows ? unix.replaceAll('\n', '\r\n') : unix;
        const read = readServers(text, { syntax: 'jsonc', serversKey: 'servers' });
        const outline = outlineJson(text, plan);
        assert.deepEqual(
          outline.servers.map(({ name, nameRange, range }) => ({ name, nameRange, range })),
          read.servers.map(({ name, nameRange, range }) => ({ name, nameRange, range })),
        );
        assert.deepEqual(outline.problems, []);
      }),
    );
  });

  test('is made of anything, and ends', () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ',',
      ':',
      '\n',
      '\r\n',
      ' ',
      '/',
      '//',
      '/*',
      '*/',
      '\\',
      'a',
      '1',
    );
    const noise = fc.array(fc.oneof(token, fc.constantFrom('"servers"', '{"servers":{', '"a":', 'true'), fc.string()));
    fc.assert(
      fc.property(noise, (tokens) => {
        const text = tokens.join('');
        for (const { nameRange, range } of outlineJson(text, plan).servers) {
          assert.ok(nameRange.offset >= 0 && nameRange.length > 0 && range.length >= 0);
          assert.ok(range.offset >= nameRange.offset + nameRange.length && range.offset + range.length <= text.length);
        }
      }),
      { numRuns: 2000 },
    );
  });

  for (const [title, second] of [
    ['a name only', '"b"'],
    ['a name and a colon', '"b":'],
    ['a brace that is open', '"b": {'],
    ['a key in a brace that is open', '"b": { "url": '],
    ['a string that is open', '"b": { "url": "https://'],
    ['brackets that are open', '"b": { "args": [ { "x": ['],
    ['an entry of several lines that is open', '"b": {\n      "headers": {\n        "X": "1"\n    },'],
    ['a brace too many', '"b": { } },'],
    ['a bracket too many', '"b": { } ],'],
    ['two commas', '"b": { },,'],
    ['no comma', '"b": { }'],
  ] as const) {
    test(`does not lose the servers around one with ${title}`, () => {
      assert.deepEqual(namesIn(laidOut(second)), ['a', 'b', 'c', 'd']);
    });
  }

  test('takes the last of two objects of servers, as parsers do', () => {
    assert.deepEqual(namesIn('{"servers":{"a":1},"servers":{"b":2}}'), ['b']);
  });

  test('tells what only some clients take', () => {
    const text = '{ // one\n "servers": { "a": [1, /* two */ ], } }';
    assert.deepEqual(
      outlineJson(text, plan).problems.map(({ type, range }) => [
        type,
        text.slice(range.offset, range.offset + range.length),
      ]),
      [
        ['comment', '// one'],
        ['comment', '/* two */'],
        ['trailing_comma', ','],
        ['trailing_comma', ','],
      ],
    );
    assert.deepEqual(
      outlineJson('{"servers": []}', plan).problems.map(({ type }) => type),
      ['not_an_object'],
    );
  });
});
