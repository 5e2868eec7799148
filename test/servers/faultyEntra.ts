import { randomUUID } from 'node:crypto';
import { type Answer } from './exchange.ts';
import type { Faults } from './faults.ts';

// What Entra answers is told in AzureAD/microsoft-authentication-library-for-js#5198 (90009),
// github/copilot-cli#4464 (70011) and modelcontextprotocol/csharp-sdk#1587 (9010010). All are 400.
// The members of the body are those that Microsoft documents for its error codes.

/** What the scopes `<resource>/.default` stand for, at any resource. */
const DEFAULT_SCOPES = ['files:read', 'files:write'];

/** These are about the ID token and the refresh token, not about a resource. */
const OIDC_SCOPES = new Set(['openid', 'profile', 'email', 'offline_access']);

type Form = Readonly<Record<string, string>>;

/** The answer to a token request that Entra does not take; undefined when it does. */
export function refuseAsEntra(faults: Faults, clientId: string, form: Form): Answer | undefined {
  const { entra } = faults;
  if (entra?.requireScopeOnRefresh === true && form['grant_type'] === 'refresh_token' && form['scope'] === undefined) {
    const text =
      `AADSTS90009: Application '${clientId}'(${clientId}) is requesting a token for itself. ` +
      'This scenario is supported only if resource is specified using the GUID based App Identifier.';
    return entraError(faults, 'invalid_request', 90009, text);
  }
  if (isResourceWithScopes(faults, form, false)) {
    return entraError(faults, 'invalid_target', 9010010, resourceProblem(faults));
  }
  return undefined;
}

/** Whether Entra refuses this pair of parameters. */
export function isResourceWithScopes(faults: Faults, parameters: Form, isAuthorization: boolean): boolean {
  const { rejectResourceWithScopes = false } = faults.entra ?? {};
  const isChecked = isAuthorization ? rejectResourceWithScopes === 'everywhere' : rejectResourceWithScopes !== false;
  return isChecked && parameters['resource'] !== undefined && parameters['scope'] !== undefined;
}

/** The `error_description` of AADSTS9010010. */
export function resourceProblem(faults: Faults): string {
  const text = "AADSTS9010010: The resource parameter provided in the request doesn't match with the requested scopes.";
  return text + trailer(faults, randomUUID(), randomUUID());
}

/** The answer to a refresh whose scopes were not asked for; undefined when the server is not Entra. */
export function refuseScopesAsEntra(faults: Faults, sent: readonly string[]): Answer | undefined {
  if (faults.entra === undefined) return undefined;
  const mixed = sent.some(isDefault) ? " .default scope can't be combined with resource-specific scopes." : '';
  const text =
    "AADSTS70011: The provided request must include a 'scope' input parameter. The provided value for the input " +
    `parameter 'scope' is not valid. The scope ${sent.join(' ')} is not valid.${mixed}`;
  return entraError(faults, 'invalid_scope', 70011, text);
}

/** The `scope` of a token answer: what was granted, or how Entra spells it. `offline_access` is not echoed. */
export function echoedScope(faults: Faults, scopes: readonly string[]): string {
  const { rejectEchoedScopes = false } = faults.entra ?? {};
  if (rejectEchoedScopes === false) return scopes.join(' ');
  const spelt = scopes.flatMap((scope) => {
    if (!isDefault(scope)) return scope === 'offline_access' ? [] : [scope];
    const specific = DEFAULT_SCOPES.map((name) => scope.replace(/\.default$/, name));
    return rejectEchoedScopes === 'with-default' ? [...specific, scope] : specific;
  });
  return spelt.join(' ');
}

/** What a token with these scopes is good for at the MCP server, whose tools know no resource prefix. */
export function scopesOfToken(faults: Faults, scopes: readonly string[]): readonly string[] {
  if (faults.entra === undefined) return scopes;
  return scopes.flatMap((scope) => {
    if (OIDC_SCOPES.has(scope)) return [];
    return isDefault(scope) ? DEFAULT_SCOPES : [scope, ...DEFAULT_SCOPES.filter((name) => scope.endsWith(`/${name}`))];
  });
}

/** Whether tokens need no `resource`: Entra knows the resource by the scopes. */
export function knowsResourceByScopes(faults: Faults): boolean {
  return (faults.entra?.rejectResourceWithScopes ?? false) !== false;
}

function isDefault(scope: string): boolean {
  return scope.endsWith('/.default');
}

function entraError(faults: Faults, error: string, code: number, text: string): Answer {
  const [trace, correlation] = [randomUUID(), randomUUID()];
  const body = {
    error,
    error_description: text + trailer(faults, trace, correlation),
    error_codes: [code],
    timestamp: timestamp(faults),
    trace_id: trace,
    correlation_id: correlation,
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
  };
  return { status: 400, body, headers: { 'cache-control': 'no-store, no-cache' } };
}

function trailer(faults: Faults, trace: string, correlation: string): string {
  return ` Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp(faults)}`;
}

/** As `2026-08-26 01:06:39Z`. */
function timestamp(faults: Faults): string {
  return `${new Date(faults.now()).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}
