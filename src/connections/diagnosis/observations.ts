import { type AnyOAuthError, isOAuthError } from '../../oauth/errors.ts';
import type { Reach } from '../../oauth/fetchPort.ts';
import type { Probe } from '../../oauth/probe.ts';
import type { ResourceMetadata } from '../../oauth/resourceMetadata.ts';
import type { AuthorizationServerMetadata } from '../../oauth/serverMetadata.ts';

/** One place at which a document was looked for, and what was there. */
export interface DocumentTry<T> {
  readonly url: string;
  readonly status?: number;
  /** What was there, though it may not be what it has to be: then `error` tells. */
  readonly document?: T;
  readonly error?: AnyOAuthError;
}

/** Which part of the way to a place names it. */
export type ResourcePlace = 'challenge' | 'learnt' | 'path' | 'root';

export interface ResourceTry extends DocumentTry<ResourceMetadata> {
  readonly place: ResourcePlace;
}

/** What was found out about one authorization server. */
export interface IssuerObservation {
  readonly issuer: string;
  /** How it is known: the resource metadata name it, it was in use before, or it is the server's own origin (P4). */
  readonly from: 'named' | 'known' | 'origin';
  /** The places that were asked, in order; none for what can be no issuer. */
  readonly tries: readonly DocumentTry<AuthorizationServerMetadata>[];
  /** What a sign-in would use. */
  readonly metadata?: AuthorizationServerMetadata;
}

/** All that a server and its authorization servers show to one who has not signed in. */
export interface Observations {
  readonly server: URL;
  readonly reach: Reach;
  readonly probe: Probe | AnyOAuthError;
  /** The `WWW-Authenticate` of the answer, as it came. */
  readonly challengeHeader: string | null;
  readonly resource: readonly ResourceTry[];
  readonly issuers: readonly IssuerObservation[];
  /** Of the endpoints on other origins: those that lead nowhere. */
  readonly unreachable: readonly AnyOAuthError[];
}

/** The resource metadata that a sign-in would go by; those of another resource when there are no others. */
export function resourceInUse({ resource }: Observations): ResourceTry | undefined {
  const found = resource.filter(({ document }) => document !== undefined);
  return found.find(({ error }) => error === undefined) ?? found[0];
}

/** The authorization server that a sign-in would go to; else the first that there is anything to say of. */
export function issuerInUse({ issuers }: Observations): IssuerObservation | undefined {
  return issuers.find(({ metadata }) => metadata !== undefined) ?? issuers[0];
}

/** What the authorization server says of itself, though it may not be usable; under the name that it was asked by. */
export function metadataInUse(observations: Observations): AuthorizationServerMetadata | undefined {
  const used = issuerInUse(observations);
  if (used === undefined || used.metadata !== undefined) return used?.metadata;
  const document = used.tries.find((one) => one.document !== undefined)?.document;
  return document === undefined ? undefined : { ...document, issuer: used.issuer };
}

/** Whether the server asks for authorization at all, as far as it answered. */
export function isProtected(observations: Observations): boolean {
  const { probe } = observations;
  if (isOAuthError(probe)) return false;
  return probe.status === 401 || probe.challenge !== undefined || resourceInUse(observations) !== undefined;
}

/** Whether nothing is published at all, so that a sign-in would go by the endpoints of the 2025-03-26 revision (P4). */
export function usesDefaults(observations: Observations): boolean {
  const used = issuerInUse(observations);
  if (used?.from !== 'origin' || used.metadata !== undefined || !isProtected(observations)) return false;
  return resourceInUse(observations) === undefined && used.tries.every(({ error }) => error === undefined);
}
