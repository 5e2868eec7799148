import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Diagnosis } from '../../../../src/connections/diagnosis/diagnose.ts';
import { type Finding, finding, JUDGED, type Seen } from '../../../../src/connections/diagnosis/finding.ts';
import { OAuthError } from '../../../../src/oauth/errors.ts';
import { findingText } from '../../../../src/vscode/diagnosis/findingText.ts';
import { judgedText } from '../../../../src/vscode/diagnosis/judgedText.ts';
import { traceSequence } from '../../../../src/vscode/details/traceSequence.ts';
import { reportOf } from '../../../../src/vscode/diagnosis/report.ts';
import { reportHtml } from '../../../../src/vscode/diagnosis/reportHtml.ts';
import { reportMarkdown } from '../../../../src/vscode/diagnosis/reportMarkdown.ts';
import { newConnection, SERVER_URL } from '../../../headless/flowParts.ts';

const ISSUER = 'https://as.example';
/** A server that wants to be more than a text. */
const HOSTILE = '"><img src=x onerror=alert(1)>|[run](command:x)`$(bug)</td>\n# title';

/** One of each, so that none is without words. */
const ALL_SEEN: { readonly [T in Seen['type']]: Extract<Seen, { type: T }> } = {
  error: { type: 'error', error: new OAuthError('pkce_unsupported', { issuer: ISSUER }) },
  answers: { type: 'answers', status: 401 },
  resource_metadata: { type: 'resource_metadata', url: SERVER_URL, place: 'path' },
  resource_metadata_moved: { type: 'resource_metadata_moved', named: SERVER_URL, url: ISSUER },
  no_resource_metadata: { type: 'no_resource_metadata' },
  challenge_names_metadata: { type: 'challenge_names_metadata', url: SERVER_URL },
  challenge_omits_metadata: { type: 'challenge_omits_metadata', isLearnt: true },
  same_resource: { type: 'same_resource', resource: SERVER_URL },
  resource_prefix: { type: 'resource_prefix', resource: 'https://example.com' },
  server_metadata: { type: 'server_metadata', url: ISSUER },
  default_endpoints: { type: 'default_endpoints', origin: 'https://example.com' },
  same_issuer: { type: 'same_issuer', issuer: ISSUER },
  issuers: { type: 'issuers', issuers: [ISSUER, 'https://b.example'] },
  issuer_skipped: { type: 'issuer_skipped', skipped: ISSUER, used: 'https://b.example' },
  names_no_issuer: { type: 'names_no_issuer', origin: 'https://example.com' },
  challenge: { type: 'challenge', scheme: 'bearer' },
  no_challenge: { type: 'no_challenge' },
  challenge_unreadable: { type: 'challenge_unreadable' },
  client_entered: { type: 'client_entered', clientId: 'mine' },
  client_document: { type: 'client_document' },
  registers: { type: 'registers', endpoint: `${ISSUER}/register` },
  registration_guessed: { type: 'registration_guessed', endpoint: `${ISSUER}/register` },
  auth_method: { type: 'auth_method', method: 'none', isRenewable: false },
  unknown_auth_methods: { type: 'unknown_auth_methods', methods: ['tls_client_auth'] },
  issuer_kept: { type: 'issuer_kept' },
  issuer_moved: { type: 'issuer_moved', from: ISSUER, to: 'https://b.example' },
  pkce: { type: 'pkce' },
  pkce_allowed: { type: 'pkce_allowed' },
  resource_left_out: { type: 'resource_left_out' },
  scopes: { type: 'scopes', from: 'metadata', scopes: Array.from({ length: 20 }, (_, index) => `scope${index}`) },
  iss_advertised: { type: 'iss_advertised' },
  iss_not_advertised: { type: 'iss_not_advertised' },
  redirects: { type: 'redirects', offersDevice: true },
  authorization_endpoint: { type: 'authorization_endpoint', url: `${ISSUER}/authorize` },
  addresses: { type: 'addresses', hosts: ['example.com'] },
  held_last_time: { type: 'held_last_time' },
  needs_sign_in: { type: 'needs_sign_in' },
  not_used: { type: 'not_used' },
  nothing_to_judge: { type: 'nothing_to_judge' },
};

function diagnosisOf(findings: readonly Finding[], cause?: Finding): Diagnosis {
  return {
    serverUrl: SERVER_URL,
    findings,
    ...(cause !== undefined && { cause }),
    requests: {
      startedAt: Date.UTC(2026, 10, 21, 20),
      endedAt: Date.UTC(2026, 10, 21, 20) + 321,
      outcome: 'authorized',
      steps: [
        {
          at: 0,
          durationMs: 12,
          purpose: 'probe',
          method: 'POST',
          url: SERVER_URL,
          sent: [{ name: 'method', value: 'initialize' }],
          status: 401,
          received: [{ name: 'www-authenticate', value: HOSTILE }],
        },
      ],
    },
  };
}

describe('the words of a diagnosis', () => {
  it('are there for all that is judged and all that can be seen, in sentences', () => {
    const titles = JUDGED.map((judged) => judgedText(judged).title);
    assert.equal(new Set(titles).size, JUDGED.length);
    for (const seen of Object.values(ALL_SEEN)) {
      const { text } = findingText(finding('P1', 'passed', seen));
      assert.match(text, /^[A-Zh].*\.$/s, seen.type);
      assert.doesNotMatch(text, /\{\d\}|undefined/, seen.type);
    }
  });

  it('begin with the cause, and offer what helps', () => {
    const cause = finding('P13', 'broken', ALL_SEEN.error);
    const connection = newConnection({ name: 'Files' });
    const report = reportOf(diagnosisOf([finding('P1', 'passed', ALL_SEEN.answers), cause], cause), connection);
    assert.equal(report.name, 'Files');
    assert.match(report.headline, /^The authorization server as\.example does not say that it protects sign-ins/);
    assert.deepEqual(
      report.buttons.map(({ label, command, args }) => [label, command, ...args]),
      [
        ['Allow…', 'scopekeeper.allowUnadvertisedPkce', 'c'],
        ['Copy Report', 'scopekeeper.copyDiagnosis'],
        ['Diagnose Again', 'scopekeeper.diagnoseConnection', 'c'],
      ],
    );
    assert.deepEqual(
      report.rows.map(({ sign, button }) => [sign, button?.label]),
      [
        ['✗', 'Allow…'],
        ['✓', undefined],
      ],
    );
  });

  it('offer nothing to set where one must not sign in at all', () => {
    const error = new OAuthError('issuer_mismatch', { expected: ISSUER, actual: 'https://other.example' });
    const cause = finding('P5', 'broken', { type: 'error', error });
    const other = finding('P13', 'broken', ALL_SEEN.error);
    const { rows } = reportOf(diagnosisOf([cause, other], cause), newConnection());
    assert.deepEqual(
      rows.map(({ button, nextStep }) => [button?.label, nextStep?.startsWith('Tell')]),
      [
        [undefined, true],
        [undefined, undefined],
      ],
    );
  });

  it('name a request as the details of the connection do', () => {
    const { requests } = diagnosisOf([]);
    const { steps } = traceSequence(requests, false, requests.startedAt);
    const named = reportOf(diagnosisOf([]), undefined).requests.map(({ purpose }) => purpose);
    assert.deepEqual(named, ['Ask the server without a token']);
    assert.deepEqual(
      steps.map(({ title }) => title),
      named,
    );
  });

  it('offer no setting for a URL that is not connected', () => {
    const cause = finding('P13', 'broken', ALL_SEEN.error);
    const { buttons, name } = reportOf(diagnosisOf([cause], cause), undefined);
    assert.equal(name, 'example.com');
    assert.deepEqual(
      buttons.map(({ label, args }) => [label, args]),
      [
        ['Copy Report', []],
        ['Diagnose Again', [SERVER_URL]],
      ],
    );
  });

  it('say how much is worked around when nothing is broken', () => {
    const worked = finding('P7', 'worked_around', ALL_SEEN.no_challenge);
    assert.match(reportOf(diagnosisOf([worked]), undefined).headline, /around one thing/);
    const two = [worked, finding('P2', 'worked_around', ALL_SEEN.challenge_omits_metadata)];
    assert.match(reportOf(diagnosisOf(two), undefined).headline, /around 2 things/);
    assert.match(reportOf(diagnosisOf([]), undefined).headline, /^Nothing is wrong/);
  });
});

describe('a report', () => {
  const hostile = finding('P6', 'broken', { type: 'issuers', issuers: [HOSTILE, HOSTILE] });
  const report = reportOf(diagnosisOf([hostile], hostile), newConnection({ name: HOSTILE }));

  it('is a page that runs no script, and in which servers cannot write more than text', () => {
    const html = reportHtml(report, 'the-nonce');
    assert.match(html, /default-src &#39;none&#39;; style-src &#39;nonce-the-nonce&#39;/);
    assert.doesNotMatch(html, /<img|<script|style=|\son\w+=(?!alert\(1\)&gt;)/);
    const links = Array.from(html.matchAll(/href="([^"]*)"/g), ([, href = '']) => href);
    assert.deepEqual(
      links.map((href) => href.replace(/\?.*/, '')),
      ['command:scopekeeper.copyDiagnosis', 'command:scopekeeper.diagnoseConnection'],
    );
  });

  it('is copied without what only the person may know', () => {
    const url = 'https://example.com/u/NDQ4Yjk5MzAtYWJj/mcp/.well-known/oauth-protected-resource/v1';
    const found = finding('P1', 'passed', { type: 'resource_metadata', url, place: 'path' });
    const mine = reportOf({ ...diagnosisOf([found]), serverUrl: url }, newConnection({ name: 'My Private Name' }));
    const markdown = reportMarkdown(mine, '1.2.3').replaceAll('\\', '');
    assert.match(markdown, /^# Diagnosis of example\.com\n/);
    assert.doesNotMatch(markdown, /NDQ4|My Private/);
    assert.ok(markdown.includes('https://example.com/u/…/mcp/.well-known/oauth-protected-resource/v1'));
  });

  it('is copied as Markdown in which servers can neither link, nor break the table', () => {
    const markdown = reportMarkdown(report, '1.2.3');
    assert.doesNotMatch(markdown, /(?<!\\)\[run|<img|(?<!\\)`|\$\(bug/);
    const lines = markdown.split('\n').filter((line) => line.startsWith('|'));
    // Bars that are no borders are escaped.
    const widths = lines.map((line) => line.replaceAll('\\|', '').split('|').length - 2);
    assert.deepEqual(widths, [4, 4, 4, 6, 6, 6]);
    assert.equal(markdown.split('\n').filter((line) => line.startsWith('# ')).length, 1);
    assert.match(markdown, /Scopekeeper 1\\\.2\\\.3/);
  });
});
