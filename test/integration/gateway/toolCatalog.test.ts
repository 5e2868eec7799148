import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createSendAuthorized } from '../../../src/gateway/authorizedExchange.ts';
import { createToolCatalog } from '../../../src/gateway/toolCatalog.ts';
import { createGuardedFetch } from '../../../src/platform/guardedFetch.ts';
import { createUpstream } from '../../../src/platform/upstream.ts';
import { createHeadlessManager, type Headless } from '../../headless/headlessManager.ts';
import { ManualClock } from '../../headless/memoryPorts.ts';
import { createPerson } from '../../sample/person.ts';
import { startSampleServer } from '../../sample/sampleServer.ts';
import { type ScriptedAnswer, type ScriptedRequest, startScriptedMcpServer } from '../../servers/scriptedMcpServer.ts';
import type { ServerTransport } from '../../servers/scopedMcpServer.ts';
import { startStory } from '../stories/story.ts';

const NEVER = new AbortController().signal;
const VERSIONS = { supported: ['2026-07-28'], requested: '2026-07-28' };
/** What servers of earlier revisions say to a request without a session. */
const NO_SESSION = { status: 400, body: { id: null, error: { code: -32_000, message: 'No valid session ID' } } };

/** A catalog over the manager's tokens, or over one that every server takes. */
function startCatalog(t: TestContext, { manager }: Pick<Headless, 'manager'>, isSignedIn = true) {
  const clock = new ManualClock();
  const guardedFetch = createGuardedFetch({ version: '0.0.0' });
  const upstream = createUpstream({ guardedFetch, clock });
  t.after(() => {
    upstream.dispose();
    guardedFetch.dispose();
  });
  const token = { accessToken: 'token', headers: { authorization: 'Bearer token' } };
  const anyTokens = {
    authorizeRequest: async () => token,
    answerChallenge: async () => ({ type: 'pass' }) as const,
    noteDpopNonce: () => undefined,
  };
  const send = createSendAuthorized({ tokens: isSignedIn ? manager : anyTokens, upstream });
  const catalog = createToolCatalog({ send, clock, version: '1.2.3' });
  const list = async (id: string, signal = NEVER) => {
    const connection = manager.get(id);
    assert.ok(connection);
    return catalog.listTools(connection, signal);
  };
  return { clock, list };
}

/** A server that answers as it is told to, and a catalog that asks it. */
async function startScripted(t: TestContext, answer: Parameters<typeof startScriptedMcpServer>[1]) {
  const server = await startScriptedMcpServer(t, answer);
  const headless = createHeadlessManager({ browser: async () => undefined });
  t.after(async () => headless.dispose());
  const { id } = await headless.manager.add(server.url);
  const { clock, list } = startCatalog(t, headless, false);
  return { ...server, clock, list: async (signal?: AbortSignal) => list(id, signal) };
}

function modern(result: object): (request: ScriptedRequest) => ScriptedAnswer {
  return () => ({ body: { result } });
}

/** A server of 2025-11-25 that answers `tools/list` so. */
function inSession(listed: (request: ScriptedRequest) => ScriptedAnswer): (request: ScriptedRequest) => ScriptedAnswer {
  return (request) => {
    const { headers, message, method } = request;
    if (message?.method === 'initialize') {
      const result = { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'x', version: '1' } };
      return { headers: { 'mcp-session-id': 'the-session' }, body: { result } };
    }
    if (headers['mcp-session-id'] !== 'the-session') return NO_SESSION;
    if (method === 'DELETE') return { status: 204 };
    return message?.method === 'tools/list' ? listed(request) : { status: 202 };
  };
}

/** A server of 2024-11-05 that names this URL for messages. */
function older(endpoint: string): Parameters<typeof startScriptedMcpServer>[1] {
  return ({ message, method, path }, send) => {
    if (method === 'GET') return { body: `event: endpoint\r\ndata: ${endpoint}\r\n\r\n`, isOpen: true };
    if (path === '/mcp') return { status: 405 };
    const result = message?.method === 'initialize' ? { protocolVersion: '2024-11-05' } : { tools: [{ name: 'a' }] };
    const reply = JSON.stringify({ jsonrpc: '2.0', id: message?.id, result });
    if (message?.id !== undefined)
      send('/mcp', `: x\r\rdata: {"id":99,"result":{}}\r\revent: message\rdata: ${reply}\r\r`);
    return { status: 202 };
  };
}

function operations(requests: readonly ScriptedRequest[]): string[] {
  return requests.map(({ message, method }) => message?.method ?? method);
}

describe('P37 the tools of a real server', () => {
  for (const transport of ['streamable HTTP', 'HTTP+SSE'] as const satisfies readonly ServerTransport[]) {
    it(`over ${transport}`, async (t) => {
      const tools = ['read', 'write'];
      const options = { transport, tools, scopeOf: () => 'a', challengesFirst: true };
      const { headless, mcp } = await startStory(t, options);
      const { id } = await headless.connect(mcp.url);
      const { list } = startCatalog(t, headless);
      assert.deepEqual(await list(id), [{ name: 'read' }, { name: 'write' }]);
    });
  }

  it('over the sample server', async (t) => {
    const sample = await startSampleServer();
    t.after(async () => sample.close());
    const person = createPerson(sample);
    const headless = createHeadlessManager({ browser: async (url) => person.authorize(url) });
    t.after(async () => headless.dispose());
    const { id } = await headless.connect(sample.mcpUrl);
    const { list } = startCatalog(t, headless);
    assert.deepEqual(await list(id), [
      { name: 'list_notes', description: 'Lists all notes' },
      { name: 'add_note', description: 'Adds a note' },
      { name: 'delete_all_notes', description: 'Deletes all notes' },
    ]);
  });

  it('P24 are not had when the server wants the person', async (t) => {
    const options = { transport: 'streamable HTTP', tools: ['read'], challengesFirst: true } as const;
    const { headless, mcp } = await startStory(t, {
      ...options,
      scopeOf: (operation) => (operation.startsWith('tools/') ? 'b' : 'a'),
      scopesSupported: ['a'],
    });
    const { id } = await headless.connect(mcp.url);
    const { list } = startCatalog(t, headless);
    await assert.rejects(list(id), { code: 'sign_in_required', details: { id } });
    assert.equal(headless.manager.get(id)?.state.type, 'needsConsent');
  });
});

describe('P37 the tools of a server without sessions (2026-07-28)', () => {
  it('page after page, by requests that say all there is to say', async (t) => {
    const { list, requests } = await startScripted(t, ({ message }) => {
      const cursor = message?.params?.['cursor'];
      return cursor === undefined
        ? { body: { result: { resultType: 'complete', tools: [{ name: 'a' }], nextCursor: 'x' } } }
        : {
            body: `: hi\n\ndata: {"method":"notifications/message"}\n\ndata: {"jsonrpc":"2.0","id":2,\ndata: "result":{"tools":[{"name":"b"}]}}\n\n`,
            isOpen: true,
          };
    });
    assert.deepEqual(await list(), [{ name: 'a' }, { name: 'b' }]);
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'Scopekeeper', version: '1.2.3' },
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    assert.deepEqual(
      requests.map(({ message }) => message),
      [
        { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: meta } },
        { jsonrpc: '2.0', id: 2, method: 'tools/list', params: { cursor: 'x', _meta: meta } },
      ],
    );
    for (const { headers, method } of requests) {
      assert.equal(method, 'POST');
      assert.equal(headers.authorization, 'Bearer token');
      assert.equal(headers['mcp-protocol-version'], '2026-07-28');
      assert.equal(headers['mcp-method'], 'tools/list');
      assert.equal(headers.accept, 'application/json, text/event-stream');
      assert.equal(headers['accept-encoding'], 'identity');
    }
  });

  for (const [name, answer, expected] of [
    ['that has none', { status: 404, body: { error: { code: -32_601, message: '' } } }, []],
    ['that wants something else', { status: 400, body: { error: { code: -32_021, message: '' } } }, undefined],
    [
      'of a later revision',
      { status: 400, body: { error: { code: -32_022, data: VERSIONS, message: '' } } },
      undefined,
    ],
  ] as const) {
    it(name, async (t) => {
      const { list, requests, url } = await startScripted(t, () => answer);
      const details = { url, status: 400, contentType: 'application/json' };
      if (expected !== undefined) assert.deepEqual(await list(), expected);
      else await assert.rejects(list(), { code: 'not_an_mcp_server', details });
      assert.deepEqual(operations(requests), ['tools/list']);
    });
  }
});

describe('P37 the tools of a server with sessions (2025-11-25)', () => {
  it('page after page in one session, which is ended', async (t) => {
    const ended: string[] = [];
    const { list, requests } = await startScripted(t, (request) => {
      if (request.method === 'DELETE') ended.push(String(request.headers['mcp-session-id']));
      return inSession(({ message }) => {
        const isFirst = message?.params?.['cursor'] === undefined;
        return { body: { result: isFirst ? { tools: [{ name: 'a' }], nextCursor: 'x' } : { tools: [{ name: 'b' }] } } };
      })(request);
    });
    assert.deepEqual(await list(), [{ name: 'a' }, { name: 'b' }]);
    const begun = ['tools/list', 'initialize', 'notifications/initialized', 'tools/list', 'tools/list'];
    assert.deepEqual(operations(requests).slice(0, 5), begun);
    assert.deepEqual(requests[1]?.message?.params, {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'Scopekeeper', version: '1.2.3' },
    });
    for (const { headers } of requests.slice(2)) {
      assert.equal(headers['mcp-session-id'], 'the-session');
      assert.equal(headers['mcp-protocol-version'], '2025-06-18');
      assert.equal(headers['mcp-method'], undefined);
    }
  });

  it('is not asked for those without sessions again', async (t) => {
    const { clock, list, requests } = await startScripted(t, inSession(modern({ tools: [] })));
    await list();
    clock.advance(61_000);
    await list();
    assert.equal(operations(requests).filter((operation) => operation === 'initialize').length, 2);
    assert.equal(operations(requests).filter((operation) => operation === 'tools/list').length, 3);
  });

  it('of a server that knows both, and says that it has the older one', async (t) => {
    const data = { supported: ['2025-11-25', '2026-12-31'], requested: '2026-07-28' };
    const unsupported = { status: 400, body: { error: { code: -32_022, message: '', data } } };
    const older = inSession(modern({ tools: [{ name: 'a' }] }));
    const { list } = await startScripted(t, (request) =>
      request.headers['mcp-protocol-version'] === '2026-07-28' ? unsupported : older(request),
    );
    assert.deepEqual(await list(), [{ name: 'a' }]);
  });
});

describe('P37 the tools of a server of the HTTP+SSE transport', () => {
  it('come on its stream', async (t) => {
    const { list, requests } = await startScripted(t, older('/messages?session=1'));
    assert.deepEqual(await list(), [{ name: 'a' }]);
    const asked = ['tools/list', 'initialize', 'GET', 'initialize', 'notifications/initialized', 'tools/list'];
    assert.deepEqual(operations(requests), asked);
    assert.deepEqual([...new Set(requests.slice(3).map(({ path }) => path))], ['/messages?session=1']);
  });

  it('P36 are not asked for elsewhere', async (t) => {
    const { list, requests } = await startScripted(t, older('http://127.0.0.1:1/messages'));
    await assert.rejects(list(), { code: 'not_an_mcp_server' });
    assert.equal(requests.length, 3);
  });
});

describe('a list of tools', () => {
  it('has texts that are fit to be shown, and no name that is not', async (t) => {
    const tools = [
      { name: 'plain', title: ' a\u202Eb\n', description: 'x'.repeat(500) },
      { name: 'plain', title: 'another' },
      { name: 'untitled', title: 7, description: null },
      { name: 'two\nlines' },
      { name: 'bidi\u202Ename' },
      { name: ' space' },
      { name: '' },
      { name: '*' },
      { name: 'x'.repeat(257) },
      { name: 7 },
      'none',
    ];
    const { list } = await startScripted(t, modern({ tools }));
    assert.deepEqual(await list(), [
      { name: 'plain', title: 'a b', description: `${'x'.repeat(399)}…` },
      { name: 'untitled' },
    ]);
  });

  it('is bounded, in tools and in pages', async (t) => {
    const many = Array.from({ length: 3000 }, (_, index) => ({ name: `tool${index}` }));
    const large = await startScripted(t, modern({ tools: many, nextCursor: 'x' }));
    assert.equal((await large.list()).length, 2000);
    assert.equal(large.requests.length, 1);
    const endless = await startScripted(t, modern({ tools: [{ name: 'a' }], nextCursor: 'x' }));
    assert.deepEqual(await endless.list(), [{ name: 'a' }]);
    assert.equal(endless.requests.length, 100);
  });

  for (const [name, body] of [
    ['JSON', { result: { tools: [], x: 'x'.repeat(9 * 1024 * 1024) } }],
    ['events', `data: ${'x'.repeat(9 * 1024 * 1024)}`],
  ] as const) {
    it(`is not read when it is too large, as ${name}`, async (t) => {
      const { list, url } = await startScripted(t, () => ({ body }));
      await assert.rejects(list(), { code: 'response_too_large', details: { url, limitBytes: 8 * 1024 * 1024 } });
    });
  }

  for (const [name, answer] of [
    ['a web page', { status: 200, headers: { 'content-type': 'text/html' }, body: { error: {} } }],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }],
    ['a failure', { status: 500 }],
    ['an empty stream', { body: ': nothing\n\n' }],
    ['no list', { body: { result: { tools: 'all' } } }],
    ['no JSON', { body: 'x', headers: { 'content-type': 'application/json' } }],
  ] as const) {
    it(`is not had from ${name}`, async (t) => {
      const { list } = await startScripted(t, () => answer);
      await assert.rejects(list(), { code: 'not_an_mcp_server' });
    });
  }

  it('is had again for a minute without asking', async (t) => {
    const { clock, list, requests } = await startScripted(t, modern({ tools: [{ name: 'a' }] }));
    const first = await list();
    clock.advance(59_000);
    assert.equal(await list(), first);
    assert.equal(requests.length, 1);
    clock.advance(2000);
    await list();
    assert.equal(requests.length, 2);
  });

  it('is asked for again with another grant', async (t) => {
    const options = { transport: 'streamable HTTP', tools: ['read'], challengesFirst: true } as const;
    const { headless, mcp } = await startStory(t, { ...options, scopeOf: () => 'a' });
    const { id } = await headless.connect(mcp.url);
    const { list } = startCatalog(t, headless);
    const asked = (): number =>
      mcp.judged.filter(({ operation, status }) => operation === 'initialize' && status === 200).length;
    await list(id);
    await list(id);
    assert.equal(asked(), 1);
    await headless.manager.authorize(id);
    await list(id);
    assert.equal(asked(), 2);
  });

  it('ends with its signal, wherever it is', async (t) => {
    const reason = new Error('enough');
    for (const answer of [
      { body: '', isOpen: true },
      { body: ': hi\n\n', isOpen: true },
      { body: '{"result":', isOpen: true, headers: { 'content-type': 'application/json' } },
    ]) {
      const ending = new AbortController();
      const { list, requests } = await startScripted(t, () => {
        setImmediate(() => ending.abort(reason));
        return answer;
      });
      await assert.rejects(list(ending.signal), reason);
      await assert.rejects(list(ending.signal), reason);
      assert.equal(requests.length, 1);
    }
  });

  it('that breaks off is none', async (t) => {
    const { list } = await startScripted(t, () => ({ body: 'data: {"res', isBroken: true }));
    await assert.rejects(list(), { code: 'server_unreachable' });
  });
});
