import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Connection, CONNECTION_KINDS } from '../../../src/connections/connection.ts';
import { isPersonal, scopesToRequest } from '../../../src/connections/scopesToRequest.ts';
import type { Discovery } from '../../../src/oauth/discovery.ts';
import { ISSUER, newConnection } from '../../headless/flowParts.ts';

const connection = newConnection();

/** What the server says: the scopes of its challenge and its metadata, and whether it lists `offline_access`. */
function discovered(challenged?: readonly string[], supported?: readonly string[], listsOffline = false): Discovery {
  return {
    resource: connection.serverUrl,
    issuers: [ISSUER],
    metadataSource: 'published',
    authorizationServer: {
      issuer: ISSUER,
      token_endpoint: `${ISSUER}/token`,
      ...(listsOffline && { scopes_supported: ['offline_access', 'a'] }),
    },
    ...(supported && { resourceMetadata: { resource: connection.serverUrl, scopes_supported: [...supported] } }),
    ...(challenged && { challenge: { scheme: 'bearer', takesDpop: false, scopes: [...challenged] } }),
  };
}

describe('the scopes that are asked for', () => {
  const table: [
    title: string,
    changed: Partial<Connection>,
    discovery: Discovery,
    chosen: readonly string[] | undefined,
    scopes: string[],
  ][] = [
    ['P15 at first those of the challenge', {}, discovered(['a'], ['a', 'b']), undefined, ['a']],
    ['P15 at first those of the metadata', {}, discovered(undefined, ['a', 'b']), undefined, ['a', 'b']],
    ['P15 at first those that are set', { settings: { scopes: ['s'] } }, discovered(), undefined, ['s']],
    ['P15 at first none where nobody names any', {}, discovered(), undefined, []],
    ['P15 what was demanded before', { challenged: ['d'] }, discovered(undefined, ['a']), undefined, ['d']],
    [
      'P15 offline access where it is listed',
      {},
      discovered(['a'], undefined, true),
      undefined,
      ['a', 'offline_access'],
    ],
    [
      'P22 all that was asked for, was demanded, and is demanded now',
      { issuer: ISSUER, requested: ['r'], challenged: ['d'] },
      discovered(['n', 'r'], ['a'], true),
      undefined,
      ['r', 'd', 'n', 'offline_access'],
    ],
    ['P22 all that was asked for without a challenge', { requested: ['r'] }, discovered(), undefined, ['r']],
    [
      'P23 of another issuer what it resolves to alone',
      { issuer: 'https://earlier.example', requested: ['r'], challenged: ['d'] },
      discovered(undefined, ['a']),
      undefined,
      ['a'],
    ],
    [
      'P23 those that are chosen',
      { requested: ['r'] },
      discovered(['a'], undefined, true),
      ['c'],
      ['c', 'offline_access'],
    ],
    [
      'P23 not what the person left out, though every challenge names it',
      { issuer: ISSUER, requested: ['r'], declined: ['n'] },
      discovered(['n', 'r', 'o']),
      undefined,
      ['r', 'o'],
    ],
    [
      'P22 P23 what the person left out, once it is demanded',
      { issuer: ISSUER, requested: ['r'], challenged: ['n'] },
      discovered(['n', 'r']),
      undefined,
      ['r', 'n'],
    ],
    ['P23 none where the person left all out', { declined: ['n'] }, discovered(['n'], ['n']), undefined, []],
    [
      'P23 of another issuer also what was left out before',
      { issuer: 'https://earlier.example', requested: ['r'], declined: ['n'] },
      discovered(['n', 'r']),
      undefined,
      ['n', 'r'],
    ],
    [
      'P23 those that are chosen, whatever is set for good',
      { settings: { fixedScopes: ['f'] } },
      discovered(['a']),
      ['c'],
      ['c'],
    ],
    [
      'those that are set for good',
      { settings: { fixedScopes: ['f'] }, requested: ['r'] },
      discovered(),
      undefined,
      ['f'],
    ],
    ['none where none are set for good', { settings: { fixedScopes: [] } }, discovered(['a']), undefined, []],
    [
      'no offline access where nobody is offline',
      { kind: 'client_credentials', requested: ['offline_access', 'r'], issuer: ISSUER },
      discovered(['n'], undefined, true),
      undefined,
      ['r', 'n'],
    ],
    ['the same at first', { kind: 'client_credentials' }, discovered(['n'], undefined, true), undefined, ['n']],
  ];
  for (const [title, changed, discovery, chosen, scopes] of table) {
    it(title, () => assert.deepEqual(scopesToRequest({ ...connection, ...changed }, discovery, chosen), scopes));
  }

  it('are for a person who signs in, or for what was entered', () => {
    assert.deepEqual(CONNECTION_KINDS.filter(isPersonal), ['authorization_code', 'device_code']);
  });
});
