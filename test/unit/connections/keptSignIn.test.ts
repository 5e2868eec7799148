import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Connection } from '../../../src/connections/connection.ts';
import { signedIn } from '../../../src/connections/keptSignIn.ts';
import type { SignInResult } from '../../../src/connections/signIn.ts';
import { ISSUER, metadata, newConnection, SERVER_URL } from '../../headless/flowParts.ts';
import { NOW } from '../connectionFixture.ts';

const READ = { at: NOW, scopes: ['read'], operation: 'tools/call read' } as const;
const WRITE = { at: NOW, scopes: ['write'], operation: 'tools/call write' } as const;

/** A sign-in at a server whose challenge names both scopes. */
function result(change: Partial<SignInResult>, issuer = ISSUER): SignInResult {
  const authorizationServer = { ...metadata, issuer };
  return {
    answer: { accessToken: 'token', tokenType: 'bearer' },
    requested: ['read'],
    isChosen: true,
    issued: {
      answer: { accessToken: 'token', tokenType: 'bearer' },
      client: { issuer, clientId: 'c', authMethod: 'none', source: 'preregistered' },
      authorizationServer,
      resource: undefined,
      reach: 'public',
      dpop: undefined,
      discovery: {
        resource: SERVER_URL,
        issuers: [issuer],
        metadataSource: 'published',
        authorizationServer,
        challenge: { scheme: 'bearer', takesDpop: false, scopes: ['read', 'write'] },
      },
    },
    ...change,
  };
}

type Compared = 'requested' | 'challenged' | 'demands' | 'declined';
type After = { readonly [Name in Compared]: Connection[Name] | undefined };

describe('P21 P23 after a sign-in', () => {
  const before: Partial<Connection> = {
    issuer: ISSUER,
    requested: ['read', 'write', 'own'],
    challenged: ['read', 'write'],
    demands: [READ, WRITE],
  };
  const table: [title: string, before: Partial<Connection>, result: SignInResult, after: After][] = [
    [
      'for fewer scopes, what was left out is demanded no more, and is known',
      before,
      result({}),
      { requested: ['read'], challenged: ['read'], demands: [READ], declined: ['write', 'own'] },
    ],
    [
      'for fewer scopes of another issuer, what it demands beside them is left out',
      before,
      result({}, 'https://other.example'),
      { requested: ['read'], challenged: ['read'], demands: undefined, declined: ['write'] },
    ],
    [
      'for the union, what is demanded and not granted stays, and what was left out stays so',
      { ...before, declined: ['own', 'write'] },
      result({ isChosen: false, requested: ['read', 'write'] }),
      { requested: ['read', 'write'], challenged: ['read', 'write'], demands: [READ, WRITE], declined: ['own'] },
    ],
    [
      'for the union of another issuer, nothing is left out any more',
      { ...before, declined: ['own'] },
      result({ isChosen: false }, 'https://other.example'),
      { requested: ['read'], challenged: ['read', 'write'], demands: undefined, declined: undefined },
    ],
  ];
  for (const [title, changed, given, { requested, challenged, demands, declined }] of table) {
    it(title, () => {
      const after = signedIn({ ...newConnection(), ...changed }, given, []);
      assert.deepEqual(
        [after.requested, after.challenged, after.demands, after.declined],
        [requested, challenged, demands, declined],
      );
    });
  }
});
