import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  checkEndpoint,
  classifyAddress,
  isAddressAllowed,
  isLoopbackHost,
  literalAddress,
  type AddressClass,
} from '../../../src/oauth/addressPolicy.ts';
import { OAuthError, type OAuthErrorCode } from '../../../src/oauth/errors.ts';
import type { Reach } from '../../../src/oauth/fetchPort.ts';

const REACHES: readonly Reach[] = ['public', 'private', 'loopback'];

const CLASSES: Readonly<Record<AddressClass, readonly string[]>> = {
  public: [
    '1.1.1.1',
    '172.15.255.255',
    '172.32.0.0',
    '100.63.0.1',
    '2606:4700::1111',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '2002:808:808::1',
    '[2606:4700::1111]',
  ],
  private: [
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.1.1',
    '100.64.0.1',
    'fd00::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    '::ffff:10.0.0.1',
    '::ffff:0:10.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::10.0.0.1',
    '2002:a00:1::',
    '2001:0:808:808::f5ff:fffe',
  ],
  loopback: [
    '127.0.0.1',
    '127.255.255.254',
    '127.1',
    '0x7f000001',
    '::1',
    '[::1]',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::127.0.0.1',
    '2002:7f00:1::',
  ],
  forbidden: [
    '0.0.0.0',
    '0.1.2.3',
    '224.0.0.1',
    '255.255.255.255',
    '240.0.0.1',
    '192.0.2.1',
    '198.18.0.1',
    '192.0.0.192',
    '::',
    'ff02::1',
    '2001:db8::1',
    '100::1',
    '4000::1',
    '::7f00:1',
    '169.254.169.254',
    '::ffff:169.254.169.254',
    '64:ff9b::169.254.169.254',
    '2002:a9fe:a9fe::',
    '169.254.170.2',
    '169.254.170.23',
    '100.100.100.200',
    'fd00:ec2::254',
    'fd00:ec2::23',
    'fd20:ce::254',
    'fd00:0ec2:0:0::254',
    '',
    'example.com',
    '1.2.3.4.5',
    '127.0.0.1:80',
    ' 127.0.0.1x',
    '[1.1.1.1x',
    'x1.1.1.1]',
  ],
};

function hex(high: number, low: number): string {
  return ((high << 8) | low).toString(16);
}

describe('classifyAddress', () => {
  for (const [expected, addresses] of Object.entries(CLASSES)) {
    for (const address of addresses) {
      it(`P20 ${JSON.stringify(address)} is ${expected}`, () => assert.equal(classifyAddress(address), expected));
    }
  }

  it('P20 an IPv4 address is judged alike in every form that carries it', () => {
    fc.assert(
      fc.property(fc.ipV4(), (ip) => {
        const expected = classifyAddress(ip);
        const [a = 0, b = 0, c = 0, d = 0] = ip.split('.').map(Number);
        const flipped = `${hex(a ^ 255, b ^ 255)}:${hex(c ^ 255, d ^ 255)}`;
        for (const form of [
          `::ffff:${ip}`,
          `::ffff:0:${ip}`,
          `64:ff9b::${ip}`,
          `2002:${hex(a, b)}:${hex(c, d)}::1`,
          `2001:0:1:2:3:4:${flipped}`,
        ]) {
          assert.equal(classifyAddress(form), expected, form);
        }
      }),
    );
  });

  it('P20 a wider reach never allows less', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (ip) => {
        const [inPublic, inPrivate, inLoopback] = REACHES.map((reach) => isAddressAllowed(ip, reach));
        assert.ok(!inPublic || inPrivate);
        assert.ok(!inPrivate || inLoopback);
      }),
    );
  });

  it('P20 any text is classified, and one that is no address is refused', () => {
    fc.assert(fc.property(fc.string(), (text) => assert.ok(!isAddressAllowed(`${text}!`, 'loopback'))));
  });
});

describe('isLoopbackHost', () => {
  for (const host of [
    'localhost',
    'LOCALHOST',
    'localhost.',
    'a.localhost',
    'a.b.localhost.',
    '127.0.0.1',
    '127.0.0.1.',
    '127.1',
    '0177.0.0.1',
    '2130706433',
    '0x7f.1',
    '::1',
    '[::1]',
    '[0:0::1]',
    '[::ffff:127.0.0.1]',
  ]) {
    it(`P20 ${host} is loopback`, () => assert.ok(isLoopbackHost(host)));
  }
  for (const host of [
    '',
    '.',
    'example.com',
    'localhost.example.com',
    'notlocalhost',
    'localhost@example.com',
    'localhost/',
    'localhost:80',
    '10.0.0.1',
    '0.0.0.0',
    '[::]',
    '[::1',
    '[::1]:8080',
    '127.0.0.1.nip.io',
  ]) {
    it(`P20 ${JSON.stringify(host)} is not loopback`, () => assert.ok(!isLoopbackHost(host)));
  }
  it('P20 literal addresses are found in every notation', () => {
    assert.equal(literalAddress('0x7f.1'), '127.0.0.1');
    assert.equal(literalAddress('[::1]'), '::1');
    assert.equal(literalAddress('example.com'), undefined);
  });
});

describe('checkEndpoint', () => {
  const accepted: readonly [string, Reach][] = [
    ['https://example.com/mcp', 'public'],
    ['https://example.com/mcp?a=b', 'public'],
    ['https://1.1.1.1/', 'public'],
    ['https://10.0.0.1/', 'private'],
    ['https://10.0.0.1/', 'loopback'],
    ['https://localhost/', 'loopback'],
    ['http://localhost:3000/', 'loopback'],
    ['http://[::1]:3000/', 'loopback'],
    ['http://2130706433/', 'loopback'],
  ];
  for (const [url, reach] of accepted) {
    it(`P20 ${url} is accepted with reach ${reach}`, () =>
      assert.equal(checkEndpoint(url, 'server', reach).href, new URL(url).href));
  }

  const refused: readonly [string, Reach, OAuthErrorCode][] = [
    ['http://example.com/', 'loopback', 'insecure_url'],
    ['http://localhost/', 'public', 'insecure_url'],
    ['http://localhost/', 'private', 'insecure_url'],
    ['http://10.0.0.1/', 'private', 'insecure_url'],
    ['ftp://example.com/', 'loopback', 'insecure_url'],
    ['file:///etc/passwd', 'loopback', 'insecure_url'],
    ['javascript:alert(1)', 'loopback', 'insecure_url'],
    ['https://user@example.com/', 'public', 'insecure_url'],
    ['https://:secret@example.com/', 'public', 'insecure_url'],
    ['not a url', 'public', 'insecure_url'],
    ['', 'public', 'insecure_url'],
    ['https://localhost/', 'public', 'address_refused'],
    ['https://a.localhost/', 'private', 'address_refused'],
    ['https://127.1/', 'private', 'address_refused'],
    ['https://[::ffff:10.0.0.1]/', 'public', 'address_refused'],
    ['https://192.168.0.1/', 'public', 'address_refused'],
    ['https://169.254.169.254/latest/meta-data', 'loopback', 'address_refused'],
    ['https://0.0.0.0/', 'loopback', 'address_refused'],
  ];
  for (const [url, reach, code] of refused) {
    it(`P19 P20 ${JSON.stringify(url)} is ${code} with reach ${reach}`, () => {
      assert.throws(() => checkEndpoint(url, 'token_endpoint', reach), { name: 'OAuthError', code });
    });
  }

  for (const [url, details] of [
    ['https://user:pw@example.com/a?b#c', { url: 'https://example.com/a', role: 'server' }],
    ['http://example.com/a?b=c', { url: 'http://example.com/a', role: 'server' }],
    ['https://10.0.0.1/a?b', { url: 'https://10.0.0.1/a', address: '10.0.0.1' }],
    ['https://[::1]/a#b', { url: 'https://[::1]/a', address: '::1' }],
    ['https://a.localhost/', { url: 'https://a.localhost/', address: 'a.localhost' }],
    ['//user:pw@host/a', { url: 'host/a', role: 'server' }],
    ['no url?with\na=query#or\nfragment', { url: 'no url', role: 'server' }],
    ['no url#fragment', { url: 'no url', role: 'server' }],
    ['', { url: '', role: 'server' }],
    ['user@two@no url', { url: 'no url', role: 'server' }],
    ['one\n@no url', { url: 'no url', role: 'server' }],
  ] as const) {
    it(`P19 P36 the error about ${JSON.stringify(url)} shows ${JSON.stringify(details)}`, () => {
      assert.throws(() => checkEndpoint(url, 'server', 'public'), { name: 'OAuthError', details });
    });
  }

  it('P36 an error shows neither user info nor query', () => {
    for (const url of [
      'https://user:canary@example.com/?q=canary',
      'http://example.com/?q=canary#canary',
      'https://user:canary@exa mple/?q=canary',
    ]) {
      assert.throws(
        () => checkEndpoint(url, 'server', 'public'),
        (error) => error instanceof OAuthError && !JSON.stringify([error, error.message]).includes('canary'),
      );
    }
  });
});
