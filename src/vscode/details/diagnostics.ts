import type { ActivityEntry } from '../../connections/activity.ts';
import { currentGrant, type Connection, type ConnectionSettings } from '../../connections/connection.ts';
import { healthOf } from '../../connections/health.ts';
import type { AuthorizationTrace } from '../../connections/trace.ts';
import { plainText, type ScopekeeperError } from '../../oauth/errors.ts';
import { errorText } from '../errorText.ts';
import { displayUrl, shortPath, withoutRandomParts } from '../untrustedText.ts';

/** To be raised when a member changes its meaning. */
const FORMAT = 1;
const LONGEST_TEXT = 500;

/** What is said of one connection. */
export interface DiagnosedConnection {
  readonly connection: Connection;
  readonly activity: readonly ActivityEntry[];
  readonly trace: AuthorizationTrace | undefined;
}

/** What is said of where this runs; plain data without a secret. */
export type DiagnosedPlace = Readonly<Record<string, unknown>>;

/**
 * Everything that helps to find out why a connection does not work, as plain data for a file. Holds no secret and no
 * account: tokens were never in what it is made of, URLs are without their query and the parts of their path that nobody
 * would choose, and of paths of files only the end is there.
 * @param now in ms since the epoch; all instants in it are ISO 8601
 */
export function diagnostics(
  place: DiagnosedPlace,
  connections: readonly DiagnosedConnection[],
  now: number,
): Readonly<Record<string, unknown>> {
  return withoutRandom({
    product: 'Scopekeeper',
    format: FORMAT,
    exportedAt: instant(now),
    ...place,
    connections: connections.map((one) => diagnosed(one, now)),
  });
}

/** Plain data of which every text, wherever it stands, has gone through {@link withoutRandomParts}. */
function withoutRandom(data: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(data).map(([key, member]) => [key, shareable(member)]));
}

function shareable(value: unknown): unknown {
  if (typeof value === 'string') return withoutRandomParts(value);
  if (Array.isArray(value)) return value.map(shareable);
  return typeof value === 'object' && value !== null ? withoutRandom({ ...value }) : value;
}

function diagnosed({ activity, connection, trace }: DiagnosedConnection, now: number) {
  const { id, issuer, issuers, kind, lastError, name, resource, resourceMetadataUrl, serverUrl, settings, slug } =
    connection;
  const grant = currentGrant(connection);
  return {
    id,
    name,
    slug,
    kind,
    serverUrl: displayUrl(serverUrl),
    resource: url(resource),
    resourceMetadataUrl: url(resourceMetadataUrl),
    issuer: url(issuer),
    issuers: issuers?.map(displayUrl),
    state: diagnosedState(connection),
    health: healthOf(connection, now),
    scopes: {
      requested: connection.requested,
      challenged: connection.challenged,
      authorized: grant?.authorized,
      granted: grant?.granted,
    },
    token: grant && {
      issuedAt: instant(grant.issuedAt),
      refreshedAt: instant(grant.refreshedAt),
      expiresAt: instant(grant.expiresAt),
      isRenewable: grant.refreshable,
      generation: grant.generation,
    },
    lastError: lastError && diagnosedError(lastError),
    settings: diagnosedSettings(settings),
    activity: activity.map(({ at, expiresAt, ...entry }) => ({
      at: instant(at),
      ...entry,
      expiresAt: instant(expiresAt),
    })),
    trace: trace === undefined ? null : diagnosedTrace(trace),
  };
}

function diagnosedState({ state }: Connection) {
  switch (state.type) {
    case 'needsConsent':
      return { type: state.type, missing: state.missing };
    case 'needsSignIn':
      return { type: state.type, reason: state.reason, since: instant(state.since) };
    case 'unreachable':
      return { type: state.type, error: diagnosedError(state.error), retryAt: instant(state.retryAt) };
    case 'authorizing':
      return { type: state.type, step: state.step };
    case 'disconnected':
    case 'ready':
    case 'refreshing':
      return { type: state.type };
  }
}

/** Who knows a path knows the name of the person; the client ID is public (RFC 6749 section 2.2). */
function diagnosedSettings({ assertionFile, caFile, ...settings }: ConnectionSettings) {
  return {
    ...settings,
    assertionFile: assertionFile === undefined ? undefined : shortPath(assertionFile),
    caFile: caFile === undefined ? undefined : shortPath(caFile),
  };
}

function diagnosedTrace({ endedAt, error, omitted, outcome, startedAt, steps }: AuthorizationTrace) {
  return {
    startedAt: instant(startedAt),
    endedAt: instant(endedAt),
    outcome,
    error: error && diagnosedError(error),
    omitted,
    steps: steps.map(({ at, ...step }) => ({ at: instant(at), ...step, url: displayUrl(step.url) })),
  };
}

function diagnosedError(error: ScopekeeperError) {
  const { message, nextStep } = errorText(error);
  return { code: error.code, details: plainDetails('', error.details), message, nextStep };
}

/** What an error carries, with its texts cut, its URLs without query and its paths without their beginning. */
function plainDetails(name: string, value: unknown): unknown {
  if (typeof value === 'string') {
    if (name === 'path') return shortPath(value);
    return /^[a-z]+:\/\//i.test(value) ? displayUrl(value) : (plainText(value, LONGEST_TEXT) ?? '');
  }
  if (Array.isArray(value)) return value.map((item) => plainDetails('', item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plainDetails(key, member)]));
}

function url(text: string | undefined): string | undefined {
  return text === undefined ? undefined : displayUrl(text);
}

function instant(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}
