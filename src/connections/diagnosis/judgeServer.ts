import { isOAuthError, OAuthError } from '../../oauth/errors.ts';
import { isProtocolType } from '../../oauth/probe.ts';
import { canonicalResource } from '../../oauth/serverUrl.ts';
import { shownUrl } from '../../oauth/addressPolicy.ts';
import type { Facts } from './facts.ts';
import { type Finding, finding } from './finding.ts';
import { isProtected, issuerInUse, resourceInUse, usesDefaults } from './observations.ts';

const NOTHING = { type: 'nothing_to_judge' } as const;

/** Whether there is a server that asks for authorization at all. */
export function judgeReach({ observations }: Facts): Finding {
  const { probe, server } = observations;
  if (isOAuthError(probe)) return finding('reach', 'broken', { type: 'error', error: probe });
  const { contentType, status } = probe;
  if (isProtected(observations)) return finding('reach', 'passed', { type: 'answers', status });
  const url = shownUrl(server);
  const isOpen = status >= 200 && status < 300 && isProtocolType(contentType);
  const error = isOpen
    ? new OAuthError('authorization_not_required', { url, status })
    : new OAuthError('not_an_mcp_server', { url, status, contentType });
  return finding('reach', 'broken', { type: 'error', error });
}

/** P1: the server describes itself (RFC 9728). */
export function judgeResourceMetadata({ observations }: Facts): Finding {
  const { resource } = observations;
  if (!isProtected(observations)) return finding('P1', 'not_testable', NOTHING);
  const used = resourceInUse(observations);
  const named = resource.find(({ place }) => place === 'challenge' || place === 'learnt');
  if (used === undefined) {
    const error = named?.error ?? resource.find((one) => one.error?.code === 'resource_metadata_invalid')?.error;
    const hasOtherWay = issuerInUse(observations)?.metadata !== undefined || usesDefaults(observations);
    const verdict = named?.error === undefined && hasOtherWay ? 'worked_around' : 'broken';
    return finding('P1', verdict, error === undefined ? { type: 'no_resource_metadata' } : { type: 'error', error });
  }
  const { place, url } = used;
  if (named !== undefined && named !== used) {
    return finding('P1', 'worked_around', { type: 'resource_metadata_moved', named: named.url, url });
  }
  return finding('P1', 'passed', { type: 'resource_metadata', url, place });
}

/** P2: the challenge says where the description is. */
export function judgeNamedMetadata({ connection, observations }: Facts): Finding {
  const { probe } = observations;
  if (isOAuthError(probe) || probe.challenge === undefined) return finding('P2', 'not_testable', NOTHING);
  const { resourceMetadataUrl: url } = probe.challenge;
  if (url !== undefined) return finding('P2', 'passed', { type: 'challenge_names_metadata', url });
  if (resourceInUse(observations) === undefined) return finding('P2', 'not_testable', NOTHING);
  const isLearnt = connection?.resourceMetadataUrl !== undefined;
  return finding('P2', 'worked_around', { type: 'challenge_omits_metadata', isLearnt });
}

/** P3: the description is of this server. */
export function judgeResource({ observations }: Facts): Finding {
  const used = resourceInUse(observations);
  if (used?.document === undefined) return finding('P3', 'not_testable', NOTHING);
  const { document, error } = used;
  if (error !== undefined) return finding('P3', 'broken', { type: 'error', error });
  const { resource } = document;
  const isSame = canonicalResource(new URL(resource)) === canonicalResource(observations.server);
  return finding('P3', 'passed', { type: isSame ? 'same_resource' : 'resource_prefix', resource });
}

/** P7: the challenge can be read. */
export function judgeChallenge({ observations }: Facts): Finding {
  const { challengeHeader, probe } = observations;
  if (isOAuthError(probe) || (probe.status !== 401 && probe.challenge === undefined)) {
    return finding('P7', 'not_testable', NOTHING);
  }
  if (probe.challenge !== undefined) {
    return finding('P7', 'passed', { type: 'challenge', scheme: probe.challenge.scheme });
  }
  return finding('P7', 'worked_around', { type: challengeHeader === null ? 'no_challenge' : 'challenge_unreadable' });
}

/** P15: which scopes a first sign-in asks for. */
export function judgeScopes({ connection, observations }: Facts): Finding {
  const { probe } = observations;
  const metadata = resourceInUse(observations)?.document;
  const settings = connection?.settings;
  const chosen = settings?.fixedScopes;
  if (chosen !== undefined) return finding('P15', 'passed', { type: 'scopes', from: 'settings', scopes: chosen });
  const demanded = isOAuthError(probe) ? [] : (probe.challenge?.scopes ?? []);
  if (demanded.length > 0) return finding('P15', 'passed', { type: 'scopes', from: 'challenge', scopes: demanded });
  if (metadata?.scopes_supported !== undefined) {
    return finding('P15', 'passed', { type: 'scopes', from: 'metadata', scopes: metadata.scopes_supported });
  }
  if (isOAuthError(probe)) return finding('P15', 'not_testable', NOTHING);
  const scopes = settings?.scopes ?? [];
  return finding('P15', 'passed', { type: 'scopes', from: scopes.length > 0 ? 'settings' : 'none', scopes });
}
