import { checkEndpoint } from '../../oauth/addressPolicy.ts';
import { requirePkce } from '../../oauth/authorization.ts';
import { chooseAuthMethod, TOKEN_ENDPOINT_AUTH_METHODS } from '../../oauth/client.ts';
import { requireDeviceAuthorization } from '../../oauth/deviceAuthorization.ts';
import { type AnyOAuthError, isOAuthError, OAuthError } from '../../oauth/errors.ts';
import { defaultServerMetadata, ENDPOINTS, isIssuer, requireGrantType } from '../../oauth/serverMetadata.ts';
import { type Facts, isInBrowser } from './facts.ts';
import { type Finding, finding } from './finding.ts';
import { isProtected, issuerInUse, metadataInUse, resourceInUse, usesDefaults } from './observations.ts';

const NOTHING = { type: 'nothing_to_judge' } as const;
const NOT_USED = { type: 'not_used' } as const;

/** P4: the authorization server describes itself (RFC 8414). */
export function judgeServerMetadata({ observations }: Facts): Finding {
  const used = issuerInUse(observations);
  if (used === undefined || (used.from === 'origin' && !isProtected(observations))) {
    return finding('P4', 'not_testable', NOTHING);
  }
  const found = used.tries.find(({ document }) => document !== undefined);
  const away = observations.unreachable.find((error) => !isUnsafe(error));
  if (found !== undefined && away !== undefined) return broken('P4', away);
  if (found !== undefined) return finding('P4', 'passed', { type: 'server_metadata', url: found.url });
  if (usesDefaults(observations)) {
    return finding('P4', 'worked_around', { type: 'default_endpoints', origin: observations.server.origin });
  }
  const tried = used.tries.map(({ error, status, url }) => ({ url, outcome: error?.code ?? status ?? '' }));
  const issuers = used.from === 'origin' ? [] : [used.issuer];
  const failure = used.tries.find(({ error }) => error !== undefined)?.error;
  return broken('P4', failure ?? new OAuthError('authorization_server_not_found', { issuers, tried }));
}

/** P5: the description is of the very issuer. */
export function judgeIssuer({ observations }: Facts): Finding {
  const tries = issuerInUse(observations)?.tries ?? [];
  const wrong = tries.find(({ error }) => error?.code === 'issuer_mismatch');
  if (wrong?.error !== undefined) return finding('P5', 'broken', { type: 'error', error: wrong.error });
  const found = tries.find(({ document }) => document !== undefined)?.document;
  if (found === undefined) return finding('P5', 'not_testable', NOTHING);
  return finding('P5', 'passed', { type: 'same_issuer', issuer: found.issuer });
}

/** P6: the server names authorization servers, and the first that answers is used. */
export function judgeIssuers({ connection, observations }: Facts): Finding {
  const metadata = resourceInUse(observations)?.document;
  if (metadata === undefined) return finding('P6', 'not_testable', NOTHING);
  const { issuers } = observations;
  const named = issuers.filter(({ from }) => from === 'named');
  const chosen = connection?.settings.issuer;
  if (chosen !== undefined && !named.some(({ issuer }) => issuer === chosen)) {
    const names = named.map(({ issuer }) => issuer);
    return broken('P6', new OAuthError('issuer_not_named', { issuer: chosen, issuers: names }));
  }
  const used = issuerInUse(observations);
  if (named.length === 0) {
    const error = new OAuthError('authorization_server_not_found', { issuers: [], tried: [] });
    if (used?.metadata === undefined) return broken('P6', error);
    return finding('P6', 'worked_around', { type: 'names_no_issuer', origin: observations.server.origin });
  }
  const [first] = named;
  if (used?.metadata !== undefined && first !== undefined && first !== used) {
    return finding('P6', 'worked_around', { type: 'issuer_skipped', skipped: first.issuer, used: used.issuer });
  }
  if (named.every(({ issuer }) => !isIssuer(issuer))) {
    const tried = named.map(({ issuer }) => ({ url: issuer, outcome: 'not_an_issuer' }));
    return broken(
      'P6',
      new OAuthError('authorization_server_not_found', { issuers: tried.map(({ url }) => url), tried }),
    );
  }
  return finding('P6', 'passed', { type: 'issuers', issuers: named.map(({ issuer }) => issuer) });
}

/** P8: how Scopekeeper becomes a client there. */
export function judgeRegistration({ connection, hasClientDocument, observations }: Facts): Finding {
  if (connection?.kind === 'static_token') return finding('P8', 'not_testable', NOT_USED);
  const metadata = metadataInUse(observations);
  if (metadata === undefined) {
    if (!usesDefaults(observations)) return finding('P8', 'not_testable', NOTHING);
    const endpoint = defaultServerMetadata(observations.server.origin).registration_endpoint ?? '';
    return finding('P8', 'not_testable', { type: 'registration_guessed', endpoint });
  }
  const client = connection?.settings.client;
  if (client !== undefined && client.issuer === metadata.issuer) {
    return finding('P8', 'passed', { type: 'client_entered', clientId: client.clientId });
  }
  if (metadata.client_id_metadata_document_supported === true && hasClientDocument) {
    return finding('P8', 'passed', { type: 'client_document' });
  }
  if (metadata.registration_endpoint === undefined) {
    return broken('P8', new OAuthError('registration_unsupported', { issuer: metadata.issuer }));
  }
  return finding('P8', 'passed', { type: 'registers', endpoint: metadata.registration_endpoint });
}

/** P10: the authorization server gives tokens in this way, to a client that proves itself in a way that we know. */
export function judgeClientWays({ connection, observations }: Facts): Finding {
  const metadata = metadataInUse(observations);
  if (metadata === undefined) return finding('P10', 'not_testable', NOTHING);
  const kind = connection?.kind ?? 'authorization_code';
  const refused = caught(() => {
    if (kind === 'authorization_code') requireGrantType(metadata, 'authorization_code');
    if (kind === 'device_code') requireDeviceAuthorization(metadata);
  });
  if (refused !== undefined) return broken('P10', refused);
  const methods = metadata.token_endpoint_auth_methods_supported;
  if (methods !== undefined && !TOKEN_ENDPOINT_AUTH_METHODS.some((method) => methods.includes(method))) {
    return finding('P10', 'broken', { type: 'unknown_auth_methods', methods });
  }
  const isRenewable = metadata.grant_types_supported?.includes('refresh_token') ?? true;
  return finding('P10', 'passed', { type: 'auth_method', method: chooseAuthMethod(metadata), isRenewable });
}

/** P11: what was registered or entered for one issuer goes to no other. */
export function judgeMove({ connection, observations }: Facts): Finding {
  const to = metadataInUse(observations)?.issuer;
  if (connection === undefined || to === undefined) return finding('P11', 'not_testable', NOTHING);
  const configured = connection.settings.client?.issuer;
  if (configured !== undefined && configured !== to) {
    return broken('P11', new OAuthError('client_issuer_mismatch', { issuer: to, configuredIssuer: configured }));
  }
  const from = connection.issuer;
  if (from === undefined) return finding('P11', 'not_testable', NOTHING);
  return from === to
    ? finding('P11', 'passed', { type: 'issuer_kept' })
    : finding('P11', 'worked_around', { type: 'issuer_moved', from, to });
}

/** P13: sign-ins are protected against interception. */
export function judgePkce(facts: Facts): Finding {
  const metadata = metadataInUse(facts.observations);
  if (!isInBrowser(facts)) return finding('P13', 'not_testable', NOT_USED);
  if (metadata === undefined) return finding('P13', 'not_testable', NOTHING);
  const refused = caught(() => requirePkce(metadata, false));
  if (refused === undefined) return finding('P13', 'passed', { type: 'pkce' });
  if (facts.connection?.settings.allowUnadvertisedPkce === true) {
    return finding('P13', 'worked_around', { type: 'pkce_allowed' });
  }
  return broken('P13', refused);
}

/** P18: the ways in which a sign-in can come back. */
export function judgeRedirects({ observations }: Facts): Finding {
  const metadata = metadataInUse(observations);
  if (metadata === undefined) return finding('P18', 'not_testable', NOTHING);
  const offersDevice = metadata.device_authorization_endpoint !== undefined;
  return finding('P18', 'passed', { type: 'redirects', offersDevice });
}

/** P19: where the browser is sent to. */
export function judgeAuthorizationEndpoint(facts: Facts): Finding {
  const { reach } = facts.observations;
  const metadata = metadataInUse(facts.observations);
  if (!isInBrowser(facts)) return finding('P19', 'not_testable', NOT_USED);
  if (metadata === undefined) return finding('P19', 'not_testable', NOTHING);
  const { authorization_endpoint: url, grant_types_supported: supported = [], issuer } = metadata;
  if (url === undefined) {
    return broken('P19', new OAuthError('grant_unsupported', { issuer, grantType: 'authorization_code', supported }));
  }
  const refused = caught(() => void checkEndpoint(url, 'authorization_endpoint', reach));
  return refused === undefined
    ? finding('P19', 'passed', { type: 'authorization_endpoint', url })
    : broken('P19', refused);
}

const UNSAFE = new Set<string>(['insecure_url', 'address_refused', 'redirect_refused']);

/** P20: all of it is encrypted, and no public server leads to a private address. */
export function judgeAddresses({ observations }: Facts): Finding {
  const { issuers, probe, reach, resource, server, unreachable } = observations;
  const tries = [...resource, ...issuers.flatMap((one) => one.tries)];
  const metadata = metadataInUse(observations);
  const endpoints = ENDPOINTS.flatMap((role) => {
    const url = metadata?.[role];
    return url === undefined ? [] : [{ role, url }];
  });
  const errors = [
    ...(isOAuthError(probe) ? [probe] : []),
    ...tries.flatMap(({ error }) => error ?? []),
    ...unreachable,
    ...endpoints.flatMap(({ role, url }) => caught(() => void checkEndpoint(url, role, reach)) ?? []),
  ];
  const unsafe = errors.find(isUnsafe);
  if (unsafe !== undefined) return broken('P20', unsafe);
  if (isOAuthError(probe)) return finding('P20', 'not_testable', NOTHING);
  const urls = [server.href, ...tries.map(({ url }) => url), ...endpoints.map(({ url }) => url)];
  const hosts = [...new Set(urls.map((url) => new URL(url).host))];
  return finding('P20', 'passed', { type: 'addresses', hosts });
}

/** P17: whether the authorization server says that its answers name it (RFC 9207). */
export function judgeIssAdvertised(facts: Facts): Finding {
  const metadata = metadataInUse(facts.observations);
  if (!isInBrowser(facts)) return finding('P17', 'not_testable', NOT_USED);
  if (metadata === undefined) return finding('P17', 'not_testable', NOTHING);
  return metadata.authorization_response_iss_parameter_supported === true
    ? finding('P17', 'passed', { type: 'iss_advertised' })
    : finding('P17', 'not_testable', { type: 'iss_not_advertised' });
}

function isUnsafe(error: AnyOAuthError): boolean {
  return UNSAFE.has(error.code) || (error.code === 'server_unreachable' && error.details.failure === 'tls');
}

function broken(judged: Finding['judged'], error: AnyOAuthError): Finding {
  return finding(judged, 'broken', { type: 'error', error });
}

/** What a check throws that is about a server. */
function caught(check: () => void): AnyOAuthError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!isOAuthError(error)) throw error;
    return error;
  }
}
