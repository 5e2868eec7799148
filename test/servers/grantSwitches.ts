/** How device authorization goes (RFC 8628). */
export interface DeviceSwitch {
  readonly intervalSeconds: number;
  readonly expiresInSeconds: number;
  /** So many polls are answered `authorization_pending` first, ... */
  readonly pending: number;
  /** ... then so many `slow_down`; only then comes the outcome. */
  readonly slowDowns: number;
  /** `wait` is pending until `FaultyServer.approveDevice` or `denyDevice`. */
  readonly outcome: 'approve' | 'deny' | 'expire' | 'wait';
  /** Leaves `verification_uri_complete` out. */
  readonly omitComplete?: boolean;
  /** Leaves `interval` out: the client then waits 5 seconds, whatever `intervalSeconds` says. */
  readonly omitInterval?: boolean;
  /** Breaks the connection at so many polls, before anything else. */
  readonly droppedPolls?: number;
  /** Makes the body from the correct one. */
  readonly body?: (body: Readonly<Record<string, unknown>>) => unknown;
}

/** How DPoP is done (RFC 9449). */
export interface DpopSwitch {
  /** The algorithms of proofs that are taken, and named in both metadata. */
  readonly algs: readonly string[];
  /** No token without a proof, and no bearer token at the MCP server. */
  readonly required: boolean;
  /** Who demands nonces: nobody, the authorization server, the MCP server, or both, each its own. */
  readonly nonce: 'none' | 'server' | 'resource' | 'both';
  /** Each answer of who demands them brings the next nonce, and the one before is no longer good. */
  readonly rotateNonce?: boolean;
  /** Takes no proof, good or bad, at the token endpoint. */
  readonly refusesProofs?: boolean;
  /** The MCP server's metadata say nothing of it; its challenges do as `challengeScheme` says. */
  readonly isHidden?: boolean;
  /** Issues bearer tokens although there was a proof. */
  readonly unboundTokens?: boolean;
  /** The challenges of the MCP server. That for a nonce is always of DPoP. */
  readonly challengeScheme: 'DPoP' | 'Bearer' | 'both';
}

/** The ways of Microsoft Entra ID that break clients. */
export interface EntraSwitch {
  /** A refresh without `scope` is AADSTS90009. */
  readonly requireScopeOnRefresh?: boolean;
  /**
   * `<resource>/.default` is echoed as the scopes it stands for; to send any of these on refresh is AADSTS70011, while
   * what was asked for stays good. `with-default` echoes them and `.default` itself, as Entra often does.
   */
  readonly rejectEchoedScopes?: boolean | 'with-default';
  /** `resource` beside `scope` in a token request is AADSTS9010010, or in an authorization request too. */
  readonly rejectResourceWithScopes?: boolean | 'everywhere';
}
