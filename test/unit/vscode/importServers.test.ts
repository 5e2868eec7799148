import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ClientId, ConfigScope } from '../../../src/mcpConfig/configClient.ts';
import { readSections } from '../../../src/mcpConfig/configSources.ts';
import { type FoundFile, placesIn } from '../../../src/vscode/importServers/serverPlaces.ts';
import { type Candidates, importCandidates } from '../../../src/vscode/importServers/importCandidates.ts';
import { type ImportRow, importRows, refusalText } from '../../../src/vscode/importServers/importRows.ts';
import { importedText } from '../../../src/vscode/importServers/importText.ts';
import { movesToken, placesToRoute, withoutMovedTokens } from '../../../src/vscode/importServers/importPlan.ts';
import { connectionIn } from '../connectionFixture.ts';
import { clientOf } from '../mcpConfig/clientOf.ts';
import { entryShapes, GATEWAY_URL } from '../mcpConfig/entryShapes.ts';

const HOME = '/home/me';
const ROUTED = 'http://127.0.0.1:41999/known/mcp';

function fileOf(id: ClientId, text: string, scope: ConfigScope = 'user'): FoundFile {
  const client = clientOf(id);
  const path = `${scope === 'user' ? HOME : '/work'}/${id}.json`;
  const file = { scope, path, evidence: HOME };
  return { client, file, shown: path.replace(HOME, '~'), text, sections: readSections(text, client) };
}

function json(servers: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ mcpServers: servers });
}

function bearer(token: string): object {
  return { url: 'https://a.example', headers: { Authorization: `Bearer ${token}`, 'X-Key': 'stays' } };
}

function look(...files: FoundFile[]): Candidates & { readonly rows: readonly ImportRow[] } {
  const connections = [{ serverUrl: 'https://known.example/mcp', slug: 'known' }];
  const found = importCandidates(placesIn(files), connections, (slug) => `http://127.0.0.1:41999/${slug}/mcp`);
  return { ...found, rows: importRows(found.candidates, files, HOME) };
}

function drawn(rows: readonly ImportRow[]): string[] {
  return rows.map((row) => {
    if (row.type !== 'candidate') return `${row.type === 'broken' ? '! ' : '-- '}${row.label}`;
    const { label, description, detail = '', isTicked } = row;
    return `${isTicked ? '[x]' : '[ ]'} ${label} | ${description} | ${detail}`;
  });
}

describe('what can be imported', () => {
  for (const { title, client, text, url, tokens = [] } of entryShapes) {
    test(`P36 ${title}: is found, and its token is shown nowhere`, () => {
      const { candidates, local, rows } = look(fileOf(client, text));
      const found = candidates.find(({ places }) => places.some(({ server }) => server.name === 'it'));
      assert.equal(found === undefined, url === undefined);
      assert.equal(local, url === undefined ? 1 : 0);
      for (const { token } of tokens) assert.ok(!JSON.stringify(drawn(rows)).includes(token));
    });
  }

  test('a server that several files name is one choice, below the first of them', () => {
    const { local, rows } = look(
      fileOf('cursor', json({ a: { url: 'https://A.example/mcp#' }, shell: { command: 'sh' } })),
      fileOf('gemini', json({ b: { httpUrl: 'https://b.example' }, other: { httpUrl: 'https://a.example/mcp' } })),
    );
    assert.equal(local, 1);
    assert.deepEqual(drawn(rows), [
      '-- Cursor · ~/cursor.json',
      '[x] a | https://a.example/mcp | also in Gemini CLI · ~/gemini.json',
      '-- Gemini CLI · ~/gemini.json',
      '[x] b | https://b.example | ',
    ]);
  });

  const a = 'https://a.example/mcp';
  for (const [entry, isTicked, description, detail, refusal] of [
    [{ url: a }, true, a, undefined, undefined],
    [{ url: 'https://known.example/mcp' }, false, 'https://known.example/mcp', 'already connected', undefined],
    [{ url: ROUTED }, false, ROUTED, 'used through Scopekeeper already', /already/],
    [{ url: 'http://far.example/mcp' }, false, 'http://far.example/mcp', 'plain http', /https/],
    [{ url: 'http://localhost:3000/mcp' }, true, 'http://localhost:3000/mcp', undefined, undefined],
    [{ url: 'https://${HOST}/mcp' }, false, 'https://${HOST}/mcp', 'variable in its URL', /whole URL/],
    [
      { url: 'https://me:pass@${HOST}/mcp?token=sk-1' },
      false,
      'https://${host}/mcp',
      'variable in its URL · token in the file',
      /whole URL/,
    ],
    [{ url: 'ftp://a.example' }, false, 'ftp://a.example', 'not a URL', /no URL/],
    [{ url: `${a}?token=sk-1` }, true, a, 'token in the file', undefined],
    [{ url: a, headers: { 'X-Api-Key': 'k' } }, true, a, 'token in the file', undefined],
    [{ url: a, headers: { Authorization: 'Bearer ${env:A}' } }, true, a, undefined, undefined],
    [{ url: a, headers: { Authorization: 'Bearer ${input:a}' } }, true, a, undefined, undefined],
    [{ command: 'npx', args: ['mcp-remote', a] }, true, a, undefined, undefined],
  ] as const) {
    test(JSON.stringify(entry), () => {
      const [, row, ...others] = look(fileOf('cursor', json({ it: entry }))).rows;
      assert.ok(row?.type === 'candidate');
      assert.deepEqual(others, []);
      assert.deepEqual([row.isTicked, row.description, row.detail], [isTicked, description, detail]);
      const text = refusalText(row);
      if (refusal === undefined) assert.equal(text, undefined);
      else assert.match(text ?? '', refusal);
    });
  }

  test('Claude Code’s servers of a folder are below it', () => {
    const text = JSON.stringify({
      projects: { [`${HOME}/site`]: { mcpServers: { it: { url: 'https://a.example' } } } },
    });
    assert.deepEqual(drawn(look(fileOf('claude-code', text)).rows), [
      '-- Claude Code · ~/claude-code.json · for ~/site',
      '[x] it | https://a.example | ',
    ]);
  });

  test('a broken file is told of, and what can be read of it is offered', () => {
    const broken = fileOf('cursor', '{\n"mcpServers": { "it": { "url": "https://a.example" }');
    const unreadable: FoundFile = { ...fileOf('zed', ''), sections: [], failure: 'EACCES' };
    const { rows } = look(broken, unreadable);
    assert.deepEqual(drawn(rows), [
      '-- With an error',
      '! ~/cursor.json has an error in line 2',
      '! ~/zed.json could not be read (EACCES)',
      '-- Cursor · ~/cursor.json',
      '[x] it | https://a.example | ',
    ]);
    assert.match(refusalText(rows[1] ?? assert.fail()) ?? '', /Mend/);
  });

  test('a name that would be a link or an icon is none', () => {
    const { rows } = look(fileOf('cursor', json({ '[a](command:b) $(key)': { url: 'https://a.example' } })));
    assert.deepEqual(drawn(rows.slice(1)), ['[x] (a)(command:b) $ (key) | https://a.example | ']);
  });
});

describe('which clients are led through the gateway', () => {
  const [candidate] = look(
    fileOf('cursor', json({ own: { url: 'https://a.example' } })),
    fileOf('gemini', json({ first: bearer('sk-1'), second: bearer('sk-2') })),
    fileOf('jetbrains', json({ shared: { url: 'https://a.example' }, same: bearer('sk-1') }), 'workspace'),
    fileOf('windsurf', json({ basic: { url: 'https://a.example', headers: { Authorization: 'Basic x' } } })),
  ).candidates;

  for (const [routes, moved, names] of [
    ['none', undefined, []],
    ['own', undefined, ['own']],
    ['all', undefined, ['own', 'shared']],
    ['none', 'sk-1', ['first', 'same']],
    ['all', 'sk-1', ['own', 'first', 'shared', 'same']],
  ] as const) {
    test(`${routes}, ${moved === undefined ? 'no token moved' : 'a token moved'}: ${names.join(', ')}`, () => {
      assert.ok(candidate);
      assert.deepEqual(
        placesToRoute({ routes }, candidate, moved).map(({ server }) => server.name),
        names,
      );
    });
  }
});

describe('P36 whose token can go to the keychain without being tried first', () => {
  for (const [query, moves] of [
    ['access_token=sk-1', true],
    ['api_key=sk-1', false],
    ['key=sk-1', false],
    ['team=a', false],
  ] as const) {
    test(`?${query}: ${moves ? 'moved' : 'its entry stays as it is'}`, () => {
      const [candidate] = look(fileOf('cursor', json({ it: { url: `https://a.example/mcp?${query}` } }))).candidates;
      assert.ok(candidate);
      assert.equal(movesToken({ movesTokens: true }, candidate), moves);
      if (query !== 'team=a') assert.deepEqual(placesToRoute({ routes: 'all' }, candidate, undefined), []);
    });
  }
});

describe('P36 what a backup is without', () => {
  const servers = {
    e: { url: 'https://e.example/mcp', headers: { Authorization: 'Bearer e', 'X-Key': 'stays' } },
    b: { url: 'https://b.example/mcp', headers: { Authorization: 'Bearer sk-b"1' } },
    known: { url: 'https://known.example/mcp', headers: { Authorization: 'Bearer sk-known' } },
    asks: { url: 'https://q.example/mcp?access_token=sk%2F2&team=a' },
  };
  const text = JSON.stringify(servers, undefined, 2);
  const file = fileOf('cursor', `{ "mcpServers": ${text} }`);
  const other = fileOf(
    'gemini',
    json({ g: { httpUrl: 'https://g.example', headers: { Authorization: 'Bearer sk-g' } } }),
  );
  const { candidates } = look(file, other);
  const plan = { candidates, movesTokens: true, routes: 'none' } as const;

  test('all tokens that the plan takes out of the file, where they stand and nowhere else', () => {
    const expected = file.text
      .replace('"Bearer e"', '"Bearer …"')
      .replace(String.raw`sk-b\"1`, '…')
      .replace('sk%2F2', '…');
    assert.equal(withoutMovedTokens(plan, file.file.path, file.text), expected);
  });

  test('also when other entries were edited since the file was looked at', () => {
    const later = file.text.replace('https://e.example/mcp', ROUTED).replace('"Bearer e"', '"Bearer ${env:E}"');
    const kept = withoutMovedTokens(plan, file.file.path, later);
    assert.ok(kept.includes('"Bearer ${env:E}"') && !kept.includes('sk-b') && !kept.includes('sk%2F2'));
    assert.ok(kept.includes('sk-known'));
  });

  test('nothing where no token is moved', () => {
    assert.equal(withoutMovedTokens({ ...plan, movesTokens: false }, file.file.path, file.text), file.text);
  });
});

test('what was done is said in full, and what was not', () => {
  const [place] = look(fileOf('cursor', json({ it: { url: GATEWAY_URL } }))).candidates.flatMap(({ places }) => places);
  assert.ok(place);
  const nothing = { added: [], moved: [], routedFiles: [], hasBackups: false, versionedFiles: [], failures: [] };
  assert.equal(
    importedText({ ...nothing, failures: [{ place, problem: 'broken' }] }),
    'it was left as it is in ~/cursor.json, since there is an error in the file.',
  );
  const [a, b] = ['a', 'b'].map((name) => connectionIn({ type: 'disconnected' }, { name }));
  assert.ok(a && b);
  const file = '~/cursor.json';
  assert.equal(
    importedText({
      ...nothing,
      added: [a, b],
      moved: [b],
      routedFiles: [file],
      hasBackups: true,
      versionedFiles: [file],
    }),
    '2 servers are in the list now. The token of b is in the keychain now, and no longer in the file. ' +
      'Clients go through Scopekeeper in ~/cursor.json; a backup is beside it. ' +
      '~/cursor.json is under version control, whose history may still have the token: replace it at the server.',
  );
  assert.match(
    importedText({ ...nothing, added: [a], moved: [a, b] }),
    /^a is in the list now\. The tokens of a, b are /,
  );
});
