import type { SuiteContext } from '../suite.ts';

/** How the context says to sign in. */
export type Grant =
  | { readonly type: 'authorization_code' }
  | { readonly type: 'client_secret'; readonly clientId: string; readonly clientSecret: string }
  | { readonly type: 'private_key'; readonly clientId: string; readonly privateKey: string; readonly algorithm: string }
  | {
      readonly type: 'enterprise_managed';
      readonly clientId: string;
      readonly clientSecret: string;
      readonly tokenEndpoint: string;
      readonly idpClientId: string;
      readonly idToken: string;
    };

/**
 * Chooses by what there is to sign in with, never by the name of the scenario. A client with a secret signs in for
 * itself, unless the context names its issuer too: that one was registered by hand for the authorization code grant.
 */
export function grantOf(context: SuiteContext): Grant {
  const { client_id: clientId, client_secret: clientSecret, private_key_pem: privateKey } = context;
  const { idp_token_endpoint: tokenEndpoint, idp_client_id: idpClientId, idp_id_token: idToken } = context;
  if (clientId === undefined) return { type: 'authorization_code' };
  if (privateKey !== undefined) {
    return { type: 'private_key', clientId, privateKey, algorithm: context.signing_algorithm ?? 'ES256' };
  }
  if (clientSecret === undefined) return { type: 'authorization_code' };
  if (tokenEndpoint !== undefined && idpClientId !== undefined && idToken !== undefined) {
    return { type: 'enterprise_managed', clientId, clientSecret, tokenEndpoint, idpClientId, idToken };
  }
  return context.issuer === undefined
    ? { type: 'client_secret', clientId, clientSecret }
    : { type: 'authorization_code' };
}
