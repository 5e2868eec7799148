import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findBearerChallenge } from '../../../src/oauth/challenge.ts';
import {
  discover,
  type Discovery,
  dpopAlgorithm,
  initialScopes,
  offlineScopes,
  supportedScopes,
} from '../../../src/oauth/discovery.ts';
import { OAuthError } from '../../../src/oauth/errors.ts';
import { judgeResourceMetadata } from '../../../src/oauth/resourceMetadata.ts';
import { defaultServerMetadata } from '../../../src/oauth/serverMetadata.ts';
import { type Answer, networkOf } from '../answers.ts';

const MCP = 'https://example.com/mcp';
const server = new URL(MCP);
const RESOURCE = 'https://example.com/.well-known/oauth-protected-resource/mcp';
const LEARNT = 'https://example.com/learnt';
const metadataUrl = (origin: string): string => `${origin}/.well-known/oauth-authorization-server`;
const metadataOf = (issuer: string): { issuer: string; authorization_endpoint: string; token_endpoint: string } => ({
  issuer,
  authorization_endpoint: 'https://as.example/authorize',
  token_endpoint: 'https://as.example/token',
});
const refused = (challenge: string, status = 401): Response =>
  new Response(null, { status, headers: { 'www-authenticate': challenge } });
const answered = (status: number, type: string): Response =>
  new Response(null, { status, headers: { 'content-type': type } });
const [one, two] = ['https://one.example', 'https://two.example'];
const resource = { resource: MCP, authorization_servers: [one, two] };
const network = {
  [MCP]: refused('Bearer'),
  [RESOURCE]: resource,
  [metadataUrl(one)]: metadataOf(one),
  [metadataUrl(two)]: metadataOf(two),
};
const unreachable = new OAuthError('server_unreachable', { url: one, failure: 'dns' });

async function found(
  answers: Readonly<Record<string, Answer | readonly Answer[]>>,
  change: object = {},
): Promise<Discovery> {
  return discover(networkOf(answers).fetch, server, { reach: 'public', ...change });
}

describe('discovery', () => {
  it('P1 P2 P6 gives all that the server says', async () => {
    const challenge = `Bearer scope="a", resource_metadata="${LEARNT}"`;
    assert.deepEqual(await found({ ...network, [MCP]: refused(challenge), [LEARNT]: resource }), {
      resource: MCP,
      resourceMetadataUrl: LEARNT,
      resourceMetadata: resource,
      challenge: { scheme: 'bearer', takesDpop: false, scopes: ['a'], resourceMetadataUrl: LEARNT },
      issuers: [one, two],
      authorizationServer: metadataOf(one),
      metadataSource: 'published',
    });
  });

  it('P2 uses the metadata URL learnt earlier, unless the challenge names another', async () => {
    const elsewhere = { ...resource, authorization_servers: [two] };
    const learnt = { learntResourceMetadataUrl: LEARNT };
    const kept = await found({ ...network, [LEARNT]: elsewhere }, learnt);
    assert.deepEqual([kept.resourceMetadataUrl, kept.issuers], [LEARNT, [two]]);
    const named = refused(`Bearer resource_metadata="${RESOURCE}"`);
    const replaced = await found({ ...network, [MCP]: named, [LEARNT]: elsewhere }, learnt);
    assert.deepEqual([replaced.resourceMetadataUrl, replaced.issuers], [RESOURCE, [one, two]]);
    assert.ok(!('resourceMetadataUrl' in (await found(network))));
  });

  it('asks as a client of Streamable HTTP does, then as one of HTTP+SSE', async () => {
    for (const status of [404, 405]) {
      const { fetch, sent } = networkOf({ ...network, [MCP]: [answered(status, 'text/html'), refused('Bearer')] });
      const { signal } = new AbortController();
      await discover(fetch, server, { reach: 'public', signal });
      const [post, get] = sent;
      assert.deepEqual(
        { ...post, body: undefined },
        {
          url: MCP,
          method: 'POST',
          headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json' },
          body: undefined,
          headersOnly: true,
          reach: 'public',
          signal,
        },
      );
      assert.deepEqual(JSON.parse(post?.body ?? ''), {
        jsonrpc: '2.0',
        id: 0,
        method: 'initialize',
        params: {
          protocolVersion: '2025-11-25',
          capabilities: {},
          clientInfo: { name: 'Scopekeeper', version: '1' },
        },
      });
      assert.deepEqual(get, {
        url: MCP,
        method: 'GET',
        headers: { accept: 'text/event-stream' },
        headersOnly: true,
        reach: 'public',
        signal,
      });
    }
    const { fetch, sent } = networkOf(network);
    await discover(fetch, server, { reach: 'public' });
    assert.deepEqual(
      sent.filter(({ url }) => url === MCP).map(({ method }) => method),
      ['POST'],
    );
  });

  for (const [title, answer, code] of [
    ['that answers everybody', answered(200, 'application/json'), 'authorization_not_required'],
    ['that streams to everybody', answered(299, 'text/event-stream'), 'authorization_not_required'],
    ['that is a page', answered(200, 'text/html'), 'not_an_mcp_server'],
    ['that is nothing', new Response(null, { status: 200 }), 'not_an_mcp_server'],
    ['that fails', answered(500, 'application/json'), 'not_an_mcp_server'],
    ['that sends elsewhere', answered(300, 'application/json'), 'not_an_mcp_server'],
    ['that forbids without a word', answered(403, 'application/json'), 'not_an_mcp_server'],
  ] as const) {
    it(`stops at a server ${title}: ${code}`, async () => {
      const { status } = answer;
      const contentType = answer.headers.get('content-type');
      const details = code === 'authorization_not_required' ? { url: MCP, status } : { url: MCP, status, contentType };
      await assert.rejects(found({ [MCP]: answer }), { code, details });
    });
  }

  for (const answer of [new Response(null, { status: 401 }), refused('Bearer', 403), refused('Bearer', 200)]) {
    const header = answer.headers.get('www-authenticate') ?? 'no challenge';
    it(`P4 goes to the server’s own origin for ${answer.status} with ${header} and no metadata`, async () => {
      const discovery = await found({ [MCP]: answer });
      assert.equal(discovery.metadataSource, 'default');
      assert.equal(discovery.resource, MCP);
      assert.deepEqual(discovery.authorizationServer, defaultServerMetadata('https://example.com'));
      assert.deepEqual(discovery.issuers, []);
      assert.ok(!('resourceMetadata' in discovery));
    });
  }

  it('needs no refusal where metadata are', async () => {
    assert.equal(
      (await found({ ...network, [MCP]: answered(200, 'application/json') })).authorizationServer.issuer,
      one,
    );
  });
});

describe('P4 P5 metadata at the server’s own origin', () => {
  const own = 'https://example.com';
  const refusedMcp = { [MCP]: refused('Bearer') };

  it('are those of the origin, in either spelling', async () => {
    const plain = await found({ ...refusedMcp, [metadataUrl(own)]: metadataOf(own) });
    assert.deepEqual([plain.authorizationServer.issuer, plain.metadataSource], [own, 'published']);
    const slash = await found({ ...refusedMcp, [metadataUrl(own)]: metadataOf(`${own}/`) });
    assert.deepEqual([slash.authorizationServer.issuer, slash.metadataSource], [`${own}/`, 'published']);
  });

  it('are looked for when the resource names no server', async () => {
    const discovery = await found({
      ...refusedMcp,
      [RESOURCE]: { resource: MCP },
      [metadataUrl(own)]: metadataOf(own),
    });
    assert.deepEqual([discovery.authorizationServer.issuer, discovery.resourceMetadata?.resource], [own, MCP]);
  });

  for (const [title, answer, code] of [
    ['of another issuer', metadataOf(one), 'issuer_mismatch'],
    ['of an issuer that looks alike', metadataOf(`${own}//`), 'issuer_mismatch'],
    ['that nobody reaches', unreachable, 'server_unreachable'],
  ] as const) {
    it(`${title} stop`, async () => {
      await assert.rejects(found({ ...refusedMcp, [metadataUrl(own)]: answer }), { code });
    });
  }

  it('that change their spelling while they are read stop', async () => {
    const answers = [metadataOf(`${own}/`), metadataOf(one)];
    await assert.rejects(found({ ...refusedMcp, [metadataUrl(own)]: answers }), { code: 'issuer_mismatch' });
  });
});

describe('P6 of several authorization servers', () => {
  it('the first with metadata is used', async () => {
    assert.equal((await found({ ...network, [metadataUrl(one)]: unreachable })).authorizationServer.issuer, two);
    const odd = { ...resource, authorization_servers: ['no issuer', two] };
    const discovery = await found({ ...network, [RESOURCE]: odd });
    assert.deepEqual([discovery.authorizationServer.issuer, discovery.issuers], [two, [two]]);
  });

  it('the one that the person chose is used, as long as the server names it', async () => {
    const chosen = await found(network, { chosenIssuer: two });
    assert.deepEqual([chosen.authorizationServer.issuer, chosen.issuers], [two, [one, two]]);
  });

  it('P11 no other one is asked when the server does not name the one that the person chose', async () => {
    const chosenIssuer = 'https://other.example';
    for (const [authorizationServers, issuers] of [
      [
        [one, two],
        [one, two],
      ],
      [['no issuer', two], [two]],
      [[], []],
    ] as const) {
      const { fetch, sent } = networkOf({
        ...network,
        [RESOURCE]: { ...resource, authorization_servers: authorizationServers },
      });
      const told: string[] = [];
      const onIssuers = (named: readonly string[]) => void told.push(...named);
      await assert.rejects(discover(fetch, server, { reach: 'public', chosenIssuer, onIssuers }), {
        code: 'issuer_not_named',
        details: { issuer: chosenIssuer, issuers },
      });
      assert.deepEqual(told, issuers);
      assert.deepEqual(
        sent.map(({ url }) => url),
        [MCP, RESOURCE],
      );
    }
  });

  it('none has metadata: the first error worth telling is told, else all that was tried', async () => {
    const silent = {
      [MCP]: refused('Bearer'),
      [RESOURCE]: { ...resource, authorization_servers: ['x'.repeat(300), one] },
    };
    const mismatch = { [metadataUrl(one)]: metadataOf(two), [metadataUrl(two)]: unreachable };
    await assert.rejects(found({ ...network, ...mismatch }), { code: 'issuer_mismatch' });
    await assert.rejects(found(silent), {
      code: 'authorization_server_not_found',
      details: {
        issuers: ['x'.repeat(200), one],
        tried: [
          { url: 'x'.repeat(200), outcome: 'not_an_issuer' },
          { url: metadataUrl(one), outcome: 404 },
          { url: `${one}/.well-known/openid-configuration`, outcome: 404 },
        ],
      },
    });
  });
});

/** Resource metadata that list algorithms of DPoP proofs. */
function takes(...algorithms: string[]): object {
  return { dpop_signing_alg_values_supported: algorithms };
}

describe('what is asked of a server that was discovered', () => {
  const authorizationServer = defaultServerMetadata('https://as.example');
  const discovery: Discovery = { resource: MCP, authorizationServer, issuers: [], metadataSource: 'published' };
  /** A discovery with a `WWW-Authenticate` header and with members of the resource's metadata, if there are any. */
  const discovered = (header: string | null, members: object | undefined): Discovery => {
    const challenge = findBearerChallenge(header);
    return {
      ...discovery,
      ...(challenge !== undefined && { challenge }),
      ...(members !== undefined && {
        resourceMetadata: judgeResourceMetadata({ resource: MCP, ...members }, RESOURCE, server),
      }),
    };
  };
  const listed = { scopes_supported: ['l'] };
  for (const [title, header, members, challenged, configured, expected] of [
    ['what is demanded, all of it', 'Bearer scope="b c"', listed, ['a', 'b'], ['x'], ['a', 'b', 'c']],
    ['what the challenge says', 'Bearer scope="b"', undefined, [], ['x'], ['b']],
    ['all that the metadata list', 'Bearer', listed, [], ['x'], ['l']],
    ['nothing, when the metadata list nothing', null, { scopes_supported: [] }, [], ['x'], []],
    ['what the person configured', null, {}, [], ['x'], ['x']],
    ['nothing', null, undefined, [], [], []],
  ] as const) {
    it(`P15 the scopes of a first time are ${title}`, () => {
      assert.deepEqual(initialScopes(discovered(header, members), challenged, configured), expected);
    });
  }

  it('P15 the scopes to choose from are those of both metadata, the server’s first, and only what can be one', () => {
    const found = discovered(null, { scopes_supported: ['b', 'a', 'not one', 'x'.repeat(201)] });
    const both = { ...found, authorizationServer: { ...authorizationServer, scopes_supported: ['c', 'a'] } };
    assert.deepEqual(supportedScopes(both), ['b', 'a', 'c']);
    assert.deepEqual(supportedScopes(discovered(null, undefined)), []);
    const many = Array.from({ length: 5000 }, (_, index) => `s${index}`);
    assert.equal(supportedScopes(discovered(null, { scopes_supported: many })).length, 200);
  });

  it('P15 offline access, where the authorization server lists it', () => {
    assert.deepEqual(offlineScopes(authorizationServer), []);
    assert.deepEqual(offlineScopes({ ...authorizationServer, scopes_supported: ['a'] }), []);
    assert.deepEqual(offlineScopes({ ...authorizationServer, scopes_supported: ['a', 'offline_access'] }), [
      'offline_access',
    ]);
  });

  for (const [title, algorithms, header, members, setting, expected] of [
    ['the server has a challenge of that scheme', ['ES256'], 'DPoP', undefined, undefined, 'ES256'],
    ['the resource requires it', ['ES256'], null, { dpop_bound_access_tokens_required: true }, undefined, 'ES256'],
    ['the resource takes its algorithm', ['ES256', 'EdDSA'], null, takes('EdDSA'), undefined, 'EdDSA'],
    ['the resource takes none of its algorithms', ['ES256'], null, takes('EdDSA'), undefined, undefined],
    ['the resource says nothing', ['ES256'], 'Bearer', {}, undefined, undefined],
    ['the resource lists nothing', ['ES256'], 'Bearer', takes(), undefined, undefined],
    ['the authorization server does not do it', undefined, 'DPoP', undefined, undefined, undefined],
    ['the person says always', ['ES384'], null, undefined, 'always', 'ES384'],
    ['the person says never', ['ES256'], 'DPoP', undefined, 'never', undefined],
  ] as const) {
    it(`P36 tokens are bound with ${expected ?? 'nothing'} when ${title}`, () => {
      const listing = algorithms === undefined ? {} : { dpop_signing_alg_values_supported: [...algorithms] };
      const given = { ...discovered(header, members), authorizationServer: { ...authorizationServer, ...listing } };
      assert.equal(dpopAlgorithm(given, setting), expected);
    });
  }
});
