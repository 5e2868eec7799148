import type { Workload } from './faultyAssertions.ts';
import type { Faults } from './faults.ts';
import type { Grants } from './grants.ts';

/** One authorization server, as its endpoints see it. */
export interface AuthorizationServer {
  readonly faults: Faults;
  readonly grants: Grants;
  /** As it is now; follows `faults.issuerPath`. */
  readonly issuer: string;
  /** The protected resource that it issues tokens for. */
  readonly mcpUrl: string;
  /** Whose assertions are taken as grants. */
  readonly workload: Workload;
}
