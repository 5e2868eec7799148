import { formatScopes, intersection, sameScopes, type ScopeSet } from '../oauth/scopeSet.ts';

/** What a refresh says in `scope`: what was authorized, everything that was requested, or nothing (P27). */
export const REFRESH_SCOPES = ['authorized', 'requested', 'omitted'] as const;
export type RefreshScope = (typeof REFRESH_SCOPES)[number];

/** What was learnt of an authorization server's refreshes. What it takes as it should be is not in here. */
export interface RefreshMemory {
  /** The `scope` that it took after it had refused another. */
  readonly scope?: RefreshScope;
  /** It refused `resource`, and took the same request without it. */
  readonly omitsResource?: true;
}

/** What a refresh token can be refreshed for. */
export interface RefreshTarget {
  /** The scopes of the last authorization. */
  readonly authorized: ScopeSet;
  /** Everything asked for in this connection. */
  readonly requested: ScopeSet;
  /** RFC 8707; undefined when this connection leaves it out. */
  readonly resource: string | undefined;
}

/** One request that can be sent. */
export interface RefreshAttempt {
  readonly scope: RefreshScope;
  readonly scopes: ScopeSet | undefined;
  readonly resource: string | undefined;
}

/** What an authorization server did not like of an attempt: its `scope`, its `resource`, or anything at all of it. */
export type Refusal = 'scope' | 'resource' | 'request';

/**
 * The next request of a refresh; undefined when there is no other one to try (P14, P27).
 *
 * `scope` is what was authorized; the requested set when the server echoes other spellings, or refuses the
 * first; none as the last. `resource` goes with it until it is refused. What is remembered of the server comes
 * first; when that is refused, its part begins from the beginning. So there are four requests at the most: each
 * but the last rules out one of three scopes, or `resource`.
 * @param refusals why the requests before were refused, in their order.
 */
export function nextRefreshAttempt(
  target: RefreshTarget,
  memory: RefreshMemory,
  refusals: readonly Refusal[],
): RefreshAttempt | undefined {
  let scopes = rememberedFirst(scopeForms(target), memory.scope);
  let resources = rememberedFirst(resourceForms(target), memory.omitsResource === true ? 'omitted' : undefined);
  for (const refusal of refusals) {
    if (refusal === 'scope') scopes = scopes.slice(1);
    else if (refusal === 'resource') resources = resources.slice(1);
    else [scopes, resources] = withoutRemembered(target, memory);
  }
  const [scope] = scopes;
  const [resource] = resources;
  if (scope === undefined || resource === undefined) return undefined;
  return {
    scope,
    scopes: scope === 'omitted' ? undefined : target[scope],
    resource: resource === 'omitted' ? undefined : target.resource,
  };
}

/** Whether the first request that is sent is not the one that a server which is not known yet would get. */
export function isRememberedAttempt(target: RefreshTarget, memory: RefreshMemory): boolean {
  const [now, first] = [memory, {}].map((known) => nextRefreshAttempt(target, known, []));
  return now?.scope !== first?.scope || now?.resource !== first?.resource;
}

/**
 * What to remember of the server once an attempt was taken.
 * @param refusals why those before it were refused.
 * @param isLossy whether the token came without some of the authorized scopes: then another `scope` is tried again.
 */
export function rememberAttempt(
  target: RefreshTarget,
  memory: RefreshMemory,
  refusals: readonly Refusal[],
  taken: RefreshAttempt,
  isLossy: boolean,
): RefreshMemory {
  const kept = forgetRefused(memory, refusals);
  const isOtherScope = taken.scope !== scopeForms(target)[0];
  const scope = refusals.some((refusal) => refusal !== 'resource') && isOtherScope ? taken.scope : kept.scope;
  const isResourceRefused = refusals.includes('resource') && target.resource !== undefined;
  const omitsResource = isResourceRefused ? taken.resource === undefined : kept.omitsResource === true;
  return {
    ...(scope !== undefined && !(isLossy && isOtherScope) && { scope }),
    ...(omitsResource && { omitsResource }),
  };
}

/** What stays of a memory when requests were refused that went by it. */
export function forgetRefused(memory: RefreshMemory, refusals: readonly Refusal[]): RefreshMemory {
  const isAnyRefused = refusals.includes('request');
  const { scope, omitsResource } = memory;
  return {
    ...(scope !== undefined && !isAnyRefused && !refusals.includes('scope') && { scope }),
    ...(omitsResource === true && !isAnyRefused && !refusals.includes('resource') && { omitsResource }),
  };
}

/** What can be said in `scope`, in the order in which it is tried. */
function scopeForms({ authorized, requested }: RefreshTarget): readonly RefreshScope[] {
  const speaksOurSpelling = requested.length === 0 || intersection(authorized, requested).length > 0;
  const isSame = speaksOurSpelling && sameScopes(authorized, requested);
  return [
    ...(speaksOurSpelling && formatScopes(authorized) !== undefined ? (['authorized'] as const) : []),
    ...(requested.length > 0 && !isSame ? (['requested'] as const) : []),
    'omitted',
  ];
}

type ResourceForm = 'sent' | 'omitted';

function resourceForms({ resource }: RefreshTarget): readonly ResourceForm[] {
  return resource === undefined ? ['omitted'] : ['sent', 'omitted'];
}

/** What is left when a request as remembered was refused in words that do not say why. */
function withoutRemembered(
  target: RefreshTarget,
  memory: RefreshMemory,
): [readonly RefreshScope[], readonly ResourceForm[]] {
  const scopes = scopeForms(target);
  const resources = resourceForms(target);
  const [sent] = rememberedFirst(scopes, memory.scope);
  if (sent !== scopes[0]) return [scopes.filter((scope) => scope !== sent), resources];
  return [scopes, resources.filter((resource) => resource !== 'omitted')];
}

function rememberedFirst<T>(forms: readonly T[], remembered: T | undefined): readonly T[] {
  if (remembered === undefined || !forms.includes(remembered)) return forms;
  return [remembered, ...forms.filter((form) => form !== remembered)];
}
