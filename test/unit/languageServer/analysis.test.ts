import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Analyzer } from '../../../src/languageServer/analysis.ts';
import { readServers } from '../../../src/mcpConfig/configServers.ts';
import { clientOf } from '../mcpConfig/clientOf.ts';
import { fileShapes } from '../mcpConfig/fileShapes.ts';

/** Something that is typed, or taken out. */
const edits = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat(30),
    typed: fc.oneof(
      fc.constantFrom('', '{', '}', '"', ',', ':', '[', ']', '\n', '=', '#', '/*', '//', '"""', "'", '\\'),
      fc.constantFrom('"a": {},', '\n[mcp_servers.a]\n', 'url = "https://x.example"', '"mcpServers": {', 'https'),
      fc.string({ maxLength: 5 }),
    ),
  }),
  { minLength: 1, maxLength: 12 },
);

describe('what is kept of a document makes no difference', () => {
  for (const { title, client: id, text } of fileShapes) {
    test(`${title}: after any edits it says what is made out of the whole`, () => {
      const client = clientOf(id);
      fc.assert(
        fc.property(edits, (changes) => {
          const analyzer = new Analyzer(client);
          analyzer.analyze(text);
          let now = text;
          for (const { at, cut, typed } of changes) {
            const offset = Math.floor(at * now.length);
            now = now.slice(0, offset) + typed + now.slice(offset + cut);
            assert.deepEqual(analyzer.analyze(now), new Analyzer(client).analyze(now));
          }
        }),
        { numRuns: 60 },
      );
    });

    test(`${title}: the servers, what they say and where are those that edits go by`, () => {
      const client = clientOf(id);
      const whole = readServers(text, client);
      const own = new Analyzer(client).analyze(text).servers.filter(({ folder }) => folder === undefined);
      assert.deepEqual(
        own.map(({ name, nameRange, range, facts, base }) => ({
          name,
          nameRange,
          range,
          properties: facts.properties.map((property) => ({
            ...property,
            range: { offset: property.range.offset + base, length: property.range.length },
          })),
        })),
        whole.servers.map(({ name, nameRange, range, properties }) => ({ name, nameRange, range, properties })),
      );
    });
  }
});

/** Two servers with something between them. */
const around = (broken: string) =>
  `[mcp_servers.a]\nurl = "https://a.example"\n${broken}\n\n[mcp_servers.b]\nurl = "https://b.example"\n`;

describe('a file in TOML that is broken somewhere', () => {
  const client = clientOf('codex');
  const urlsIn = (text: string) =>
    new Analyzer(client).analyze(text).servers.map(({ name, facts }) => [name, facts.url?.url]);

  for (const broken of [
    'x',
    'x =',
    'x = "',
    'x = [',
    'x = { y = ',
    'x = """',
    '= 1',
    '[',
    '[mcp_servers.',
    'x = [ "a"\n  "b"',
    '\u0000',
  ]) {
    test(`${JSON.stringify(broken)} hides no server`, () => {
      assert.deepEqual(urlsIn(around(broken)), [
        ['a', 'https://a.example'],
        ['b', 'https://b.example'],
      ]);
      assert.notDeepEqual(new Analyzer(client).analyze(around(broken)).problems, []);
    });
  }

  test('has a header twice', () => {
    const text = '[mcp_servers.a]\nurl = "x"\n[mcp_servers.a]\nurl = "y"\n';
    assert.deepEqual(
      new Analyzer(client)
        .analyze(text)
        .problems.map(({ type, range }) => [type, range.offset])
        .at(0),
      ['syntax', text.lastIndexOf('[')],
    );
  });

  test('has the tables of a server apart', () => {
    const text =
      '[mcp_servers.a]\nurl = "https://a.example"\n[mcp_servers.b]\nurl = "https://b.example"\n[mcp_servers.a.env]\nX = "1"\n';
    const analysis = new Analyzer(client).analyze(text);
    assert.deepEqual(analysis.problems, []);
    assert.deepEqual(
      analysis.servers.map(({ name, facts }) => [name, facts.keys.map(({ path }) => path.join('.'))]),
      [
        ['a', ['url', 'env', 'env.X']],
        ['b', ['url']],
      ],
    );
  });
});
