import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOAuthError, OAuthError, type OAuthErrorCode } from '../../../src/oauth/errors.ts';
import { fetchResourceMetadata, judgeResourceMetadata } from '../../../src/oauth/resourceMetadata.ts';
import {
  defaultServerMetadata,
  fetchServerMetadata,
  judgeServerMetadata,
  requireGrantType,
} from '../../../src/oauth/serverMetadata.ts';
import { type Answer, networkOf } from '../answers.ts';

const server = new URL('https://example.com/mcp');
const ROOT = 'https://example.com/.well-known/oauth-protected-resource';
const OWN = `${ROOT}/mcp`;
const LEARNT = 'https://example.com/learnt';
const good = { resource: 'https://example.com/mcp', authorization_servers: ['https://as.example'] };
const foreign = { resource: 'https://other.example' };
const unreachable = new OAuthError('server_unreachable', { url: OWN, failure: 'dns' });
const fault = new TypeError('a fault of ours');

const codeOf = (error: unknown): unknown => (isOAuthError(error) ? error.code : error);

describe('P1 P2 a resource’s metadata', () => {
  for (const [title, learnt, answers, expected, asked] of [
    ['are at its own well-known place', undefined, { [OWN]: good, [ROOT]: foreign }, good, [OWN]],
    ['are at the root, when the other has none', undefined, { [ROOT]: good }, good, [OWN, ROOT]],
    [
      'are at the root, when the other has a page',
      undefined,
      { [OWN]: new Response('<html>'), [ROOT]: good },
      good,
      [OWN, ROOT],
    ],
    ['are at the root, when the other is no metadata', undefined, { [OWN]: {}, [ROOT]: good }, good, [OWN, ROOT]],
    [
      'are at the root, when the other is not reached',
      undefined,
      { [OWN]: unreachable, [ROOT]: good },
      good,
      [OWN, ROOT],
    ],
    ['are at the root, when the other is of another', undefined, { [OWN]: foreign, [ROOT]: good }, good, [OWN, ROOT]],
    ['are nowhere', undefined, {}, undefined, [OWN, ROOT]],
    [
      'are not what nobody named and is no metadata',
      undefined,
      { [OWN]: {}, [ROOT]: unreachable },
      undefined,
      [OWN, ROOT],
    ],
    ['are where the challenge says', LEARNT, { [LEARNT]: good, [OWN]: foreign }, good, [LEARNT]],
    ['are where the challenge says, asked once', OWN, {}, undefined, [OWN, ROOT]],
    ['are found though the challenge leads nowhere', LEARNT, { [OWN]: good }, good, [LEARNT, OWN]],
    [
      'are found though the challenge leads into nothing',
      LEARNT,
      { [LEARNT]: unreachable, [ROOT]: good },
      good,
      [LEARNT, OWN, ROOT],
    ],
  ] as const) {
    it(title, async () => {
      const { fetch, sent } = networkOf(answers);
      assert.deepEqual(await fetchResourceMetadata(fetch, server, learnt, 'public'), expected);
      assert.deepEqual(
        sent.map(({ url }) => url),
        asked,
      );
    });
  }

  const failures: readonly (readonly [string, string | undefined, Record<string, Answer>, unknown])[] = [
    ['of another resource', undefined, { [OWN]: foreign }, 'resource_mismatch'],
    ['of another resource, at the root', undefined, { [ROOT]: foreign }, 'resource_mismatch'],
    ['that the challenge names and that are none', LEARNT, { [LEARNT]: {} }, 'resource_metadata_invalid'],
    ['that the challenge names and nobody reaches', LEARNT, { [LEARNT]: unreachable }, 'server_unreachable'],
    [
      'that the challenge names and that are of another',
      LEARNT,
      { [LEARNT]: foreign, [OWN]: unreachable },
      'resource_mismatch',
    ],
    [
      'that the challenge names, before all others',
      LEARNT,
      { [LEARNT]: unreachable, [OWN]: foreign },
      'server_unreachable',
    ],
    ['that the challenge names, over http', 'http://example.com/learnt', {}, 'insecure_url'],
    ['that the challenge names, at home', 'https://10.0.0.1/learnt', {}, 'address_refused'],
    ['that a fault of ours hides', undefined, { [OWN]: fault, [ROOT]: good }, fault],
  ];
  for (const [title, learnt, answers, code] of failures) {
    it(`stop, ${title}`, async () => {
      const { fetch } = networkOf(answers);
      await assert.rejects(fetchResourceMetadata(fetch, server, learnt, 'public'), (error) => codeOf(error) === code);
    });
  }

  it('are asked for as JSON, within reach, and not where reach ends', async () => {
    const { fetch, sent } = networkOf({ [OWN]: good });
    const { signal } = new AbortController();
    await fetchResourceMetadata(fetch, server, 'http://localhost/learnt', 'public', signal);
    assert.deepEqual(sent, [
      { url: OWN, method: 'GET', headers: { accept: 'application/json' }, reach: 'public', signal },
    ]);
  });

  it('P20 are asked for at no place that is not https, which is told as theirs', async () => {
    const learnt = 'http://example.com/learnt';
    await assert.rejects(fetchResourceMetadata(networkOf({}).fetch, server, learnt, 'public'), {
      code: 'insecure_url',
      details: { url: learnt, role: 'resource_metadata' },
    });
  });

  it('that are malformed where they are optional lose only that', () => {
    const odd = { ...good, authorization_servers: 'https://as.example', scopes_supported: [7], resource_name: null };
    const judged = judgeResourceMetadata({ ...odd, other: 'kept' }, OWN, server);
    assert.equal(judged.authorization_servers, undefined);
    assert.equal(judged.scopes_supported, undefined);
    assert.equal(judged.resource_name, undefined);
    assert.equal(judged['other'], 'kept');
  });

  for (const [document, code, details] of [
    [{ resource: 7 }, 'resource_metadata_invalid', { url: OWN, problem: 'schema' }],
    [undefined, 'resource_metadata_invalid', { url: OWN, problem: 'schema' }],
    [foreign, 'resource_mismatch', { expected: server.href, actual: 'https://other.example' }],
    [{ resource: 'x'.repeat(300) }, 'resource_mismatch', { expected: server.href, actual: 'x'.repeat(200) }],
  ] as const) {
    it(`P3 as ${JSON.stringify(document)?.slice(0, 40) ?? 'nothing'} are ${code}`, () => {
      assert.throws(() => judgeResourceMetadata(document, `${OWN}?canary#canary`, server), { code, details });
    });
  }
});

const issuer = 'https://as.example/t';
const [OAUTH, OIDC, BELOW] = [
  'https://as.example/.well-known/oauth-authorization-server/t',
  'https://as.example/.well-known/openid-configuration/t',
  'https://as.example/t/.well-known/openid-configuration',
];
const metadata = {
  issuer,
  authorization_endpoint: 'https://as.example/authorize',
  token_endpoint: 'https://as.example/token',
};

describe('P4 P6 an authorization server’s metadata', () => {
  for (const [title, answers, asked] of [
    ['are at the first place', { [OAUTH]: metadata }, [OAUTH]],
    ['are at the second', { [OAUTH]: new Response('<html>'), [OIDC]: metadata }, [OAUTH, OIDC]],
    [
      'are at the last',
      { [OAUTH]: {}, [OIDC]: { ...metadata, issuer: 'https://as.example' }, [BELOW]: metadata },
      [OAUTH, OIDC, BELOW],
    ],
    [
      'are passed over with a status of failure',
      { [OAUTH]: Response.json({ ...metadata, early: true }, { status: 500 }), [BELOW]: metadata },
      [OAUTH, OIDC, BELOW],
    ],
  ] as const) {
    it(title, async () => {
      const { fetch, sent } = networkOf(answers);
      const { signal } = new AbortController();
      const { found } = await fetchServerMetadata(fetch, issuer, 'public', signal);
      assert.equal(JSON.stringify(found), JSON.stringify(metadata));
      assert.deepEqual(
        sent,
        asked.map((url) => ({ url, method: 'GET', headers: { accept: 'application/json' }, reach: 'public', signal })),
      );
    });
  }

  it('that are nowhere leave what was tried, and the first error worth telling', async () => {
    const nothing = await fetchServerMetadata(networkOf({}).fetch, issuer, 'public');
    const none = [OAUTH, OIDC, BELOW].map((url) => ({ url, outcome: 404 }));
    assert.deepEqual(nothing, { tried: none });
    const answers = {
      [OAUTH]: Response.json({}, { status: 503 }),
      [OIDC]: { ...metadata, issuer: 'x' },
      [BELOW]: unreachable,
    };
    const lookup = await fetchServerMetadata(networkOf(answers).fetch, issuer, 'public');
    assert.ok(lookup.found === undefined && isOAuthError(lookup.failure, 'issuer_mismatch'));
    assert.deepEqual(lookup.tried, [
      { url: OAUTH, outcome: 503 },
      { url: OIDC, outcome: 'issuer_mismatch' },
      { url: BELOW, outcome: 'server_unreachable' },
    ]);
  });

  it('are not asked for where reach ends, and a fault of ours is none of theirs', async () => {
    const { fetch, sent } = networkOf({});
    const lookup = await fetchServerMetadata(fetch, 'http://localhost', 'public');
    assert.ok(lookup.found === undefined && isOAuthError(lookup.failure, 'insecure_url'));
    assert.equal(lookup.failure.details.role, 'authorization_server');
    assert.deepEqual(sent, []);
    await assert.rejects(fetchServerMetadata(networkOf({ [OAUTH]: fault }).fetch, issuer, 'public'), fault);
  });

  for (const role of [
    'authorization_endpoint',
    'token_endpoint',
    'device_authorization_endpoint',
    'registration_endpoint',
    'revocation_endpoint',
  ] as const) {
    it(`P20 are not used when their ${role} is not https`, () => {
      const url = 'http://as.example/endpoint';
      const details = { url, role };
      assert.throws(() => judgeServerMetadata({ ...metadata, [role]: url }, issuer, 'public'), {
        code: 'insecure_url' satisfies OAuthErrorCode,
        details,
      });
      assert.equal(
        judgeServerMetadata({ ...metadata, [role]: 'https://as.example/e' }, issuer, 'public')?.[role],
        'https://as.example/e',
      );
    });
  }

  it('lose what is optional and malformed, and keep the rest', () => {
    const texts = [
      'scopes_supported',
      'grant_types_supported',
      'token_endpoint_auth_methods_supported',
      'token_endpoint_auth_signing_alg_values_supported',
      'revocation_endpoint_auth_methods_supported',
      'code_challenge_methods_supported',
      'dpop_signing_alg_values_supported',
    ] as const;
    const flags = ['authorization_response_iss_parameter_supported', 'client_id_metadata_document_supported'] as const;
    const odd = Object.fromEntries([...texts.map((name) => [name, [7]]), ...flags.map((name) => [name, 'true'])]);
    const well = Object.fromEntries([...texts.map((name) => [name, ['a']]), ...flags.map((name) => [name, true])]);
    const lost = judgeServerMetadata({ ...metadata, ...odd, other: 'kept' }, issuer, 'public');
    const kept = judgeServerMetadata({ ...metadata, ...well }, issuer, 'public');
    assert.equal(lost?.['other'], 'kept');
    for (const name of texts) assert.deepEqual([lost?.[name], kept?.[name]], [undefined, ['a']], name);
    for (const name of flags) assert.deepEqual([lost?.[name], kept?.[name]], [undefined, true], name);
  });

  it('P5 of another issuer are told by both, cut', () => {
    assert.throws(() => judgeServerMetadata({ ...metadata, issuer: 'x'.repeat(300) }, issuer, 'public'), {
      code: 'issuer_mismatch',
      details: { expected: issuer, actual: 'x'.repeat(200) },
    });
  });

  it('of a server that publishes none are those of the 2025-03-26 revision', () => {
    assert.deepEqual(defaultServerMetadata('https://as.example'), {
      issuer: 'https://as.example',
      authorization_endpoint: 'https://as.example/authorize',
      token_endpoint: 'https://as.example/token',
      registration_endpoint: 'https://as.example/register',
      authorization_response_iss_parameter_supported: false,
      client_id_metadata_document_supported: false,
      code_challenge_methods_supported: ['S256'],
    });
  });

  for (const [supported, passes] of [
    [undefined, true],
    [[], true],
    [['a', 'b'], true],
    [['a'], false],
  ] as const) {
    it(`that list the grant types ${JSON.stringify(supported ?? null)} ${passes ? 'may' : 'do not'} do b`, () => {
      const check = (): void => {
        requireGrantType(
          { ...metadata, ...(supported !== undefined && { grant_types_supported: [...supported] }) },
          'b',
        );
      };
      if (passes) check();
      else assert.throws(check, { code: 'grant_unsupported', details: { issuer, grantType: 'b', supported } });
    });
  }
});
