import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parse as parseJson, type ParseError, visit } from 'jsonc-parser';
import { parse as parseToml, stringify } from 'smol-toml';
import { addServer, readServers, removeServer, type ConfigEdit } from '../../../src/mcpConfig/configServers.ts';

const json = { syntax: 'jsonc', serversKey: 'mcpServers' } as const;
const toml = { syntax: 'toml', serversKey: 'mcp_servers' } as const;
const RUNS = { numRuns: 500 };
const PLAIN = { noNullPrototype: true };

const name = fc
  .oneof(fc.constantFrom('a', 'b', 'a b', 'mcpServers', 'ü"\\', ''), fc.string({ maxLength: 8 }))
  .filter((one) => one !== '__proto__');
const scalar = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.integer(),
  fc.boolean(),
  fc.constantFrom('// no', '# no', '"', ',}', '[x]'),
);
const entry = fc.record(
  { url: fc.webUrl(), headers: fc.dictionary(name, fc.string(), PLAIN) },
  { requiredKeys: ['url'], ...PLAIN },
);

/** Blanks and comments between two tokens, as people leave them. */
const gap = (eol: string) =>
  fc
    .array(fc.constantFrom('', ' ', '\t', eol, ` // c, "x": {} ]${eol}`, '/* , } */', `${eol}    `), { maxLength: 3 })
    .map((parts) => parts.join(''));

/** An object as text, with its members between gaps, and perhaps a comma too many. */
function objectText(members: fc.Arbitrary<readonly (readonly [string, string])[]>, eol: string): fc.Arbitrary<string> {
  return fc
    .tuple(members, fc.array(gap(eol), { minLength: 40, maxLength: 40 }), fc.boolean())
    .map(([list, gaps, comma]) => {
      let next = 0;
      const some = () => gaps[next++ % gaps.length] ?? '';
      const texts = list.map(([key, value]) => `${some()}${JSON.stringify(key)}${some()}:${some()}${value}${some()}`);
      return `{${texts.join(',')}${comma && texts.length > 0 ? ',' : ''}${some()}}`;
    });
}

function unique(members: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] {
  return [...new Map(members)];
}

const jsonText = fc.constantFrom('\n', '\r\n').chain((eol) => {
  const value = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.dictionary(name, scalar, { maxKeys: 2 }));
  const member = fc.tuple(
    name,
    value.map((one) => JSON.stringify(one, undefined, 2).replaceAll('\n', eol)),
  );
  const members = fc.array(member, { maxLength: 4 }).map(unique);
  const servers = fc.option(objectText(members, eol), { nil: undefined });
  return fc.tuple(members, servers, fc.nat(4), gap(eol), gap(eol)).chain(([others, text, at, before, after]) => {
    const rest = others.filter(([key]) => key !== 'mcpServers');
    const all = text === undefined ? rest : rest.toSpliced(at, 0, ['mcpServers', text]);
    return objectText(fc.constant(all), eol).map((root) => before + root + after);
  });
});

function textOf(edit: ConfigEdit): string {
  assert.equal(edit.type, 'edited', JSON.stringify(edit));
  return edit.type === 'edited' ? edit.text : '';
}

function dataOf(text: string): Record<string, unknown> {
  const errors: ParseError[] = [];
  const data: Record<string, unknown> = parseJson(text, errors, { allowTrailingComma: true });
  assert.deepEqual(errors, []);
  return data;
}

function commentsIn(text: string): string[] {
  const comments: string[] = [];
  visit(text, { onComment: (offset, length) => void comments.push(text.slice(offset, offset + length)) });
  return comments;
}

/** Asserts that `after` is `before` with texts put in, of which each outside one place is a comma. */
function assertOnlyAdded(before: string, after: string): void {
  let start = 0;
  while (start < before.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < before.length - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const between = before.slice(start, before.length - end);
  const replaced = after.slice(start, after.length - end);
  // A comma, then what was between it and the new lines.
  assert.ok(
    between === '' || replaced.startsWith(`,${between}`) || replaced.startsWith(between),
    JSON.stringify([between, replaced]),
  );
}

describe('edits of any file', () => {
  test('JSON: adding a server puts it in, and changes no other character', () => {
    fc.assert(
      fc.property(jsonText, name, entry, (text, server, added) => {
        const { servers } = readServers(text, json);
        const isThere = servers.some((one) => one.name === server);
        const edit = addServer(text, json, { name: server, entry: added });
        if (isThere) return assert.equal(edit.type, 'exists');
        const after = textOf(edit);
        assertOnlyAdded(text, after);
        const { mcpServers = {}, ...others } = dataOf(text);
        assert.deepEqual(dataOf(after), { ...others, mcpServers: { ...Object(mcpServers), [server]: added } });
      }),
      RUNS,
    );
  });

  test('JSON: adding and taking out again says the same as before, with all comments', () => {
    fc.assert(
      fc.property(jsonText, entry, (text, added) => {
        const after = textOf(
          removeServer(textOf(addServer(text, json, { name: 'new one', entry: added })), json, 'new one'),
        );
        assert.deepEqual(dataOf(after), { ...dataOf(text), mcpServers: { ...Object(dataOf(text)['mcpServers']) } });
        assert.deepEqual(commentsIn(after), commentsIn(text));
      }),
      RUNS,
    );
  });

  test('JSON: any server is taken out, or gives way, and the others stay', () => {
    fc.assert(
      fc.property(jsonText, entry, (text, added) => {
        for (const { name: server } of readServers(text, json).servers) {
          const { mcpServers, ...others } = dataOf(text);
          const { [server]: _gone, ...rest }: Record<string, unknown> = Object(mcpServers);
          assert.deepEqual(dataOf(textOf(removeServer(text, json, server))), { ...others, mcpServers: rest });
          const replaced = textOf(addServer(text, json, { name: server, entry: added }, true));
          assert.deepEqual(dataOf(replaced), { ...others, mcpServers: { ...rest, [server]: added } });
        }
      }),
      RUNS,
    );
  });

  const tomlText = fc
    .tuple(
      fc.dictionary(fc.constantFrom('model', 'x y', 'é', 'n'), scalar),
      fc.dictionary(
        name,
        fc.record({ url: fc.string(), env: fc.dictionary(name, fc.string(), PLAIN) }, { requiredKeys: [], ...PLAIN }),
        { maxKeys: 3 },
      ),
      fc.dictionary(fc.constantFrom('tui', 'projects'), fc.dictionary(name, scalar)),
      fc.constantFrom('\n', '\r\n'),
      fc.array(fc.constantFrom('# a comment [mcp_servers.no]', '', '#'), { minLength: 1, maxLength: 4 }),
    )
    .map(([top, servers, tables, eol, comments]) => {
      const lines = stringify({ ...top, mcp_servers: servers, ...tables }).split('\n');
      return lines.flatMap((line, index) => [comments[index % comments.length] ?? '', line]).join(eol);
    })
    .filter((text) => !/'''|"""/.test(text));

  test('TOML: adding a server keeps the whole text before it, and taking it out gives the text again', () => {
    fc.assert(
      fc.property(tomlText, entry, (text, added) => {
        const after = textOf(addServer(text, toml, { name: 'new one', entry: added }));
        assert.ok(after.startsWith(text.trimEnd()));
        const { mcp_servers: servers = {}, ...others } = parseToml(text);
        const { mcp_servers: found, ...rest } = parseToml(after);
        assert.deepEqual(rest, others);
        assert.deepEqual(structuredClone(found), structuredClone({ ...Object(servers), 'new one': added }));
        assert.equal(textOf(removeServer(after, toml, 'new one')).trimEnd(), text.trimEnd());
      }),
      RUNS,
    );
  });

  test('TOML: any server is taken out, or gives way, and the others stay', () => {
    fc.assert(
      fc.property(tomlText, entry, (text, added) => {
        for (const { name: server } of readServers(text, toml).servers) {
          const { mcp_servers: before } = parseToml(text);
          const { [server]: _gone, ...rest }: Record<string, unknown> = structuredClone(Object(before));
          const { mcp_servers: removed = {} } = parseToml(textOf(removeServer(text, toml, server)));
          assert.deepEqual(structuredClone(removed), rest);
          const { mcp_servers: replaced } = parseToml(
            textOf(addServer(text, toml, { name: server, entry: added }, true)),
          );
          assert.deepEqual(structuredClone(replaced), { ...rest, [server]: added });
        }
      }),
      RUNS,
    );
  });

  test('no text at all makes it throw', () => {
    const pieces = fc.array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        '"',
        "'",
        '"""',
        ',',
        ':',
        '=',
        '\n',
        '\\',
        '#',
        '//',
        'a',
        'mcp_servers',
        '.',
        ' ',
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join('');
        for (const format of [json, toml]) {
          readServers(text, format);
          addServer(text, format, { name: 'a', entry: { url: 'x' } }, true);
          removeServer(text, format, 'a');
        }
      }),
      { numRuns: 2000 },
    );
  });
});
