import ipaddr from 'ipaddr.js';
import { OAuthError, plainText, type UrlRole } from './errors.ts';
import type { Reach } from './fetchPort.ts';

/**
 * What an address is to us.
 * - `public`: a global unicast address.
 * - `private`: RFC 1918, unique local, link-local, site-local or carrier-grade NAT.
 * - `loopback`: 127.0.0.0/8 or ::1.
 * - `forbidden`: never a peer: unspecified, multicast, broadcast, reserved, or a cloud's metadata service.
 */
export type AddressClass = 'public' | 'private' | 'loopback' | 'forbidden';

/** Addresses at which a cloud hands its machines' credentials to whoever asks: no reach covers them. */
const METADATA_SERVICES = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '100.100.100.200',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
]);

/** IANA has given out nothing outside 2000::/3 as global unicast (RFC 4291 section 2.4). */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** Classifies a literal IP address, with or without brackets. What is no address is `forbidden` (P20). */
export function classifyAddress(ip: string): AddressClass {
  const literal = ip.startsWith('[') && ip.endsWith(']') ? ip.slice(1, -1) : ip;
  if (!ipaddr.isValid(literal)) return 'forbidden';
  const address = ipaddr.parse(literal);
  return address instanceof ipaddr.IPv4 ? classifyIPv4(address) : classifyIPv6(address);
}

function classifyIPv4(address: ipaddr.IPv4): AddressClass {
  if (METADATA_SERVICES.has(address.toString())) return 'forbidden';
  // As text: ranges that the library's types do not list exist at run time.
  const range: string = address.range();
  switch (range) {
    case 'unicast':
      return 'public';
    case 'loopback':
      return 'loopback';
    case 'private':
    case 'linkLocal':
    case 'carrierGradeNat':
      return 'private';
    default:
      return 'forbidden';
  }
}

function classifyIPv6(address: ipaddr.IPv6): AddressClass {
  const bytes = address.toByteArray();
  if (METADATA_SERVICES.has(ipaddr.fromByteArray(bytes).toString())) return 'forbidden';
  const range: string = address.range();
  switch (range) {
    case 'unicast':
      return address.match(GLOBAL_UNICAST) ? 'public' : 'forbidden';
    case 'loopback':
      return 'loopback';
    case 'uniqueLocal':
    case 'linkLocal':
    case 'deprecatedSiteLocal':
      return 'private';
    // Packets to these end at an IPv4 address that is written inside: that one is judged.
    case 'ipv4Mapped':
    case 'rfc6145':
    case 'rfc6052':
      return classifyEmbedded(bytes.slice(12));
    case '6to4':
      return classifyEmbedded(bytes.slice(2, 6));
    case 'teredo':
      // RFC 4380 section 4: the client's address, with every bit turned over.
      return classifyEmbedded(bytes.slice(12).map((byte) => byte ^ 0xff));
    default:
      return 'forbidden';
  }
}

function classifyEmbedded(bytes: number[]): AddressClass {
  return classifyIPv4(new ipaddr.IPv4(bytes));
}

const REACHABLE: Readonly<Record<Reach, ReadonlySet<AddressClass>>> = {
  public: new Set(['public']),
  private: new Set(['public', 'private']),
  loopback: new Set(['public', 'private', 'loopback']),
};

/** Whether a connection of this reach may talk to the literal address (P20). */
export function isAddressAllowed(ip: string, reach: Reach): boolean {
  return REACHABLE[reach].has(classifyAddress(ip));
}

/**
 * The address in a host name, without brackets, when the host is a literal one in any notation
 * that a URL may use (`127.1`, `0x7f000001`, `[::1]`); undefined when it is a name.
 */
export function literalAddress(hostname: string): string | undefined {
  const host = normalizedHost(hostname);
  if (host === undefined) return undefined;
  const literal = host.startsWith('[') ? host.slice(1, -1) : host;
  return ipaddr.isValid(literal) ? literal : undefined;
}

/** Whether the host is this machine by definition: `localhost`, a name below it (RFC 6761), or a loopback literal. */
export function isLoopbackHost(hostname: string): boolean {
  const host = normalizedHost(hostname);
  if (host === undefined) return false;
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  const literal = literalAddress(host);
  return literal !== undefined && classifyAddress(literal) === 'loopback';
}

/** The host as the URL parser writes it, without a root dot; undefined when it is no host. */
function normalizedHost(hostname: string): string | undefined {
  if (/[/?#@\\\s]/.test(hostname)) return undefined;
  const bare = hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname;
  const url = URL.parse(`http://${bare}/`);
  if (url === null || url.port !== '') return undefined;
  return url.hostname.replace(/\.$/, '');
}

/**
 * Judges a URL before anything is sent to it: https, or http to a loopback host of a connection
 * whose reach is `loopback`; no user info; a literal address within reach (P19, P20).
 * Names are judged again when they are resolved.
 * Throws `insecure_url` or `address_refused`, whose URL is fit to be shown.
 */
export function checkEndpoint(url: string, role: UrlRole, reach: Reach): URL {
  const parsed = URL.parse(url);
  if (parsed === null) throw new OAuthError('insecure_url', { url: plainText(shownText(url)) ?? '', role });
  const isLoopback = isLoopbackHost(parsed.hostname);
  const isSecure = parsed.protocol === 'https:' || (parsed.protocol === 'http:' && isLoopback && reach === 'loopback');
  if (!isSecure || parsed.username !== '' || parsed.password !== '') {
    throw new OAuthError('insecure_url', { url: shownUrl(parsed), role });
  }
  const literal = literalAddress(parsed.hostname);
  const isAllowed = literal === undefined ? !isLoopback || reach === 'loopback' : isAddressAllowed(literal, reach);
  if (!isAllowed) {
    throw new OAuthError('address_refused', { url: shownUrl(parsed), address: literal ?? parsed.hostname });
  }
  return parsed;
}

/** The URL without what may hold a secret: user info, query and fragment. */
export function shownUrl(url: URL): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  shown.search = '';
  shown.hash = '';
  return shown.href;
}

/** The same for a text that is no URL. */
function shownText(text: string): string {
  return text.replace(/[?#].*$/s, '').replace(/^.*@/s, '');
}
