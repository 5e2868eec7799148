import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { checkEndpoint } from '../../../src/oauth/addressPolicy.ts';
import { isOAuthError, OAuthError } from '../../../src/oauth/errors.ts';
import type { Reach } from '../../../src/oauth/fetchPort.ts';
import { isResourceOf, resourceMetadataUrls } from '../../../src/oauth/resourceMetadata.ts';
import { isIssuer, metadataUrls } from '../../../src/oauth/serverMetadata.ts';
import { canonicalResource, parseServerUrl } from '../../../src/oauth/serverUrl.ts';

const REACHES: readonly Reach[] = ['public', 'private', 'loopback'];

/** Hosts, with the narrowest reach that covers each. */
const HOSTS: Readonly<Record<Reach, readonly string[]>> & { readonly never: readonly string[] } = {
  public: ['example.com', 'localhost.example.com', '1.1.1.1', '8.8.8.8.', '[2606:4700::1111]', 'xn--bcher-kva.example'],
  private: ['10.0.0.1', '192.168.1.1', '0xa.1', '[fd00::1]', '[::ffff:10.0.0.1]', '[2002:a00:1::]'],
  loopback: ['localhost', 'LocalHost', 'a.localhost.', '127.0.0.1', '127.1', '2130706433', '0x7f.1', '[::1]', '[0::1]'],
  never: ['169.254.169.254', '0.0.0.0', '224.0.0.1', '[::]', '[fd00:ec2::254]', '[::ffff:169.254.169.254]'],
};
/** As the URL parser writes them. */
const LOOPBACK_HOSTS = new Set(HOSTS.loopback.map((text) => new URL(`http://${text}`).hostname));
const host = fc.oneof(
  ...(['public', 'private', 'loopback', 'never'] as const).map((narrowest) =>
    fc.constantFrom(...HOSTS[narrowest]).map((text) => ({ text, narrowest })),
  ),
);
const protocol = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('https:', 'http:', 'HTTPS:', 'Http:') },
  { weight: 1, arbitrary: fc.constantFrom('ftp:', 'ws:', 'wss:', 'file:', 'javascript:', 'vscode:', 'data:') },
);
const userInfo = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.constantFrom('canary@', 'canary:canary@', ':canary@', 'a@canary@') },
);
const port = fc.oneof(
  fc.constant(''),
  fc.nat({ max: 65_535 }).map((number) => `:${number}`),
);
const segment = fc.stringMatching(/^[a-z0-9\-_~]{1,6}$/);
const path = fc.array(segment, { maxLength: 4 }).map((segments) => segments.map((text) => `/${text}`).join(''));
const reach = fc.constantFrom(...REACHES);
const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.webUrl());
const httpUrl = fc
  .tuple(fc.constantFrom('https://', 'http://'), host, port, path, fc.constantFrom('', '/', '?', '?a=b', '/?a=/b'))
  .map(([scheme, { text }, ...rest]) => new URL(`${scheme}${text}${rest.join('')}`));

/** What `checkEndpoint` throws for the URL; undefined when it lets it pass. */
function refusal(url: string, within: Reach): OAuthError | undefined {
  try {
    assert.equal(checkEndpoint(url, 'server', within).href, new URL(url).href);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof OAuthError, String(error));
    return error;
  }
}

describe('P19 P20 an endpoint', () => {
  it('passes when it is https within reach, or http to a loopback host of a loopback server, with no user info', () => {
    fc.assert(
      fc.property(protocol, userInfo, host, port, path, reach, (scheme, user, { text, narrowest }, ...rest) => {
        const [at, below, within] = rest;
        const isWithin = narrowest !== 'never' && REACHES.indexOf(narrowest) <= REACHES.indexOf(within);
        const isSecure =
          scheme.toLowerCase() === 'https:' ||
          (scheme.toLowerCase() === 'http:' && narrowest === 'loopback' && within === 'loopback');
        const thrown = refusal(`${scheme}//${user}${text}${at}${below}`, within);
        const expected = !isSecure || user !== '' ? 'insecure_url' : isWithin ? undefined : 'address_refused';
        assert.equal(thrown?.code, expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('is refused, when it is, with an error of ours that repeats no secret', () => {
    fc.assert(
      fc.property(protocol, userInfo, anyText, reach, (scheme, user, text, within) => {
        refusal(text, within);
        const details = refusal(`${scheme}//${user}${text}?canary#canary`, within)?.details ?? {};
        assert.ok('url' in details ? !details.url.includes('canary') : true);
      }),
    );
  });

  it('that passes within some reach passes within every wider one', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.webUrl({ authoritySettings: { withIPv4: true, withIPv6: true } })), (url) => {
        const passes = REACHES.map((within) => refusal(url, within) === undefined);
        assert.ok(
          passes.every((pass, index) => !pass || passes[index + 1] !== false),
          passes.join(),
        );
      }),
    );
  });
});

describe('P14 the server’s URL', () => {
  it('is https, or http to this machine, with neither user info nor fragment, whatever was typed', () => {
    const typed = fc.oneof(
      anyText,
      fc
        .tuple(fc.oneof(protocol, fc.constant('')), userInfo, host, port, path, fc.constantFrom('', '#part', '?a=b'))
        .map(
          ([scheme, user, { text }, ...rest]) => `${scheme === '' ? '' : `${scheme}//`}${user}${text}${rest.join('')}`,
        ),
    );
    fc.assert(
      fc.property(typed, (input) => {
        let url: URL;
        try {
          url = parseServerUrl(input);
        } catch (error) {
          assert.ok(isOAuthError(error, 'invalid_server_url') || isOAuthError(error, 'insecure_url'), String(error));
          return;
        }
        assert.ok(url.protocol === 'https:' || LOOPBACK_HOSTS.has(url.hostname), url.href);
        assert.equal(`${url.username}${url.password}${url.hash}`, '');
        assert.equal(canonicalResource(parseServerUrl(canonicalResource(url))), canonicalResource(url));
        assert.equal(parseServerUrl(`  ${input}\t`).href, url.href);
      }),
      { numRuns: 1000 },
    );
  });

  it('is canonical once it has been made so', () => {
    fc.assert(
      fc.property(httpUrl, (url) => {
        const canonical = canonicalResource(url);
        assert.equal(canonicalResource(new URL(canonical)), canonical);
        assert.ok(!canonical.includes('#'));
        assert.equal(new URL(canonical).href, url.href.replace(/\?$/, ''));
      }),
    );
  });
});

describe('P4 P5 an issuer', () => {
  const issuer = fc.oneof(
    anyText,
    fc
      .tuple(
        protocol,
        userInfo,
        host,
        port,
        path,
        fc.constantFrom('', '/', '?', '#', '?a', '#a', ' ', '\n', '[x](y)', '<'),
      )
      .map(([scheme, user, { text }, ...rest]) => `${scheme}//${user}${text}${rest.join('')}`),
  );

  it('is a URL of origin and path, and nothing else', () => {
    fc.assert(
      fc.property(issuer, (text) => {
        if (!isIssuer(text)) return;
        const { protocol: scheme, username, password, search, hash, origin } = new URL(text);
        assert.ok(scheme === 'https:' || scheme === 'http:');
        assert.equal(`${username}${password}${search}${hash}`, '');
        assert.ok(!/[?#\\<>"`{}|^\s]/.test(text), text);
        assert.ok(!/[[\]]/.test(text.replace(/^[^/]+\/\/\[[0-9a-f:.]+\]/i, '')), text);
        const urls = metadataUrls(text);
        assert.equal(new Set(urls).size, urls.length);
        for (const url of urls) {
          assert.equal(new URL(url).origin, origin);
          assert.match(new URL(url).pathname, /\/\.well-known\/(?:oauth-authorization-server|openid-configuration)/);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('with a host and a path is one', () => {
    fc.assert(
      fc.property(fc.constantFrom('https://', 'http://'), host, port, path, (scheme, { text }, at, below) => {
        assert.ok(isIssuer(`${scheme}${text}${at}${below}`));
        assert.equal(metadataUrls(`${scheme}${text}${at}${below}`).length, below === '' ? 2 : 3);
      }),
    );
  });
});

describe('P1 a resource’s metadata', () => {
  it('lie at its origin: below the well-known path, with its own path and query, then at the root', () => {
    fc.assert(
      fc.property(httpUrl, (server) => {
        const urls = resourceMetadataUrls(server);
        const root = `${server.origin}/.well-known/oauth-protected-resource`;
        assert.equal(urls.at(-1), root);
        assert.equal(new Set(urls).size, urls.length);
        const own = `${root}${server.pathname.replace(/\/$/, '')}${server.search}`;
        assert.equal(urls[0], own);
      }),
    );
  });
});

describe('P3 a resource', () => {
  const resource = fc.oneof(
    anyText,
    httpUrl.map(({ href }) => href),
  );

  it('of another origin is never that of the server', () => {
    fc.assert(
      fc.property(resource, httpUrl, (text, server) => {
        if (isResourceOf(text, server)) assert.equal(new URL(text).origin, server.origin);
      }),
    );
    fc.assert(
      fc.property(httpUrl, httpUrl, path, (one, other, below) => {
        assert.equal(isResourceOf(one.origin, new URL(`${other.origin}${below}`)), one.origin === other.origin);
      }),
    );
  });

  it('is the server itself, or a prefix of it that ends where a segment does', () => {
    fc.assert(
      fc.property(httpUrl, fc.array(segment, { maxLength: 4 }), segment, fc.nat(), (url, segments, other, cut) => {
        const below = (parts: readonly string[]): string => url.origin + parts.map((text) => `/${text}`).join('');
        const server = new URL(below(segments));
        const prefix = segments.slice(0, cut % (segments.length + 1));
        assert.ok(isResourceOf(server.href, server));
        assert.ok(isResourceOf(below(prefix), server));
        assert.ok(isResourceOf(`${below(prefix)}/`, server));
        assert.ok(!isResourceOf(`${below(segments)}/${other}`, server));
        assert.ok(!isResourceOf(`${below(segments)}-`, server) || segments.length === 0);
        const changed = [...prefix, `${segments[prefix.length] ?? ''}${other}`];
        assert.ok(!isResourceOf(below(changed), server));
        assert.ok(!isResourceOf(`${below(prefix)}#part`, server));
        assert.ok(!isResourceOf(`${below(prefix)}?other`, server));
        assert.ok(!isResourceOf(below(prefix).replace('//', '//user@'), server));
      }),
    );
  });

  it('with a query is only that of the server with this query', () => {
    fc.assert(
      fc.property(path, fc.constantFrom('', '?a=1', '?a=2'), fc.constantFrom('?a=1', '?a=2'), (below, own, asked) => {
        const server = new URL(`https://example.com${below}${own}`);
        assert.equal(isResourceOf(`https://example.com${below}${asked}`, server), own === asked);
      }),
    );
  });
});
