import type { CryptoKey } from 'jose';
import type { Workload } from './faultyAssertions.ts';
import type { Faults } from './faults.ts';
import type { Grants } from './grants.ts';

/** One authorization server, as its endpoints see it. */
export interface AuthorizationServer {
  readonly faults: Faults;
  readonly grants: Grants;
  /** As it is now; follows `faults.issuerPath`. */
  readonly issuer: string;
  /** Where it is not: the issuer of the other authorization server. */
  readonly otherIssuer: string;
  /** Whether `faults.firstIssuerDown` means it. */
  readonly isFirst: boolean;
  /** The protected resource that it issues tokens for. */
  readonly mcpUrl: string;
  /** Whose assertions are taken as grants. */
  readonly workload: Workload;
  /** Whose ID-JAGs are taken as grants. */
  readonly identityProvider: { readonly issuer: string; readonly publicKey: CryptoKey };
}
