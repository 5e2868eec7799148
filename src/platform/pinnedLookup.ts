import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { classifyAddress, isAddressAllowed, isLoopbackHost } from '../oauth/addressPolicy.ts';
import { OAuthError } from '../oauth/errors.ts';
import type { Reach } from '../oauth/fetchPort.ts';

/** Gives all addresses of a name, as `dns.promises.lookup` with `all`; rejects when there are none. */
export type LookupAll = (hostname: string) => Promise<readonly LookupAddress[]>;

/**
 * A `lookup` for one socket that checks what a name resolves to and gives back just that, so that the
 * socket connects to an address that was checked (P20): a second answer of a rebinding DNS is never asked for.
 * One address out of reach refuses the name as a whole; a loopback name must mean this machine.
 * Fails with `address_refused` (about `shownUrl`), or with what `lookupAll` throws.
 */
export function createPinnedLookup(lookupAll: LookupAll, reach: Reach, shownUrl: string): LookupFunction {
  async function check(hostname: string, family: number | string | undefined): Promise<LookupAddress[]> {
    const addresses = await lookupAll(hostname);
    const isLoopback = isLoopbackHost(hostname);
    for (const { address } of addresses) {
      const isAllowed = isLoopback ? classifyAddress(address) === 'loopback' : isAddressAllowed(address, reach);
      if (!isAllowed) throw new OAuthError('address_refused', { url: shownUrl, address });
    }
    return addresses.filter((address) => !isFamily(family) || address.family === familyNumber(family));
  }

  async function answer(...[hostname, options, callback]: Parameters<LookupFunction>): Promise<void> {
    let addresses: LookupAddress[];
    try {
      addresses = await check(hostname, options.family);
    } catch (error) {
      callback(error instanceof Error ? error : new Error('lookup failed'), []);
      return;
    }
    const [first] = addresses;
    if (first === undefined) callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), []);
    else if (options.all === true) callback(null, addresses);
    else callback(null, first.address, first.family);
  }

  return (hostname, options, callback) => {
    // It never rejects: all that can fail is told to the callback.
    void answer(hostname, options, callback);
  };
}

function isFamily(family: number | string | undefined): family is number | string {
  return family !== undefined && family !== 0;
}

function familyNumber(family: number | string): number {
  return typeof family === 'number' ? family : Number(family.replace('IPv', ''));
}
