import type { AllowedTools } from '../localAccess.ts';

/** What the scopes of an authorization server are, and how they go together with the tools that a person allows. */
export interface ScopeRules {
  /** All that there are, as the metadata of the authorization server list them (RFC 8414). */
  readonly supported: readonly string[];
  /** Those that a client asks for to begin with, as the metadata of the resource list them (RFC 9728). */
  readonly initial: readonly string[];
  /** Those of an access to these tools, as the token answer tells them (RFC 6749 section 5.1). */
  granted(allowed: AllowedTools): readonly string[];
}

/** The only scope there is: what a client may do is what the person allowed it (P43), and no client can ask for more. */
const SCOPE = 'mcp';

/** Those of the gateway. */
export const GATEWAY_SCOPES: ScopeRules = { supported: [SCOPE], initial: [SCOPE], granted: () => [SCOPE] };
