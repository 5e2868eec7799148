import type { AnyOAuthError, OAuthErrorDetails } from '../oauth/errors.ts';
import { said, type ErrorText } from './errorWords.ts';
import { t } from './localize.ts';
import {
  appRefusedText,
  DPOP_ERRORS,
  enteredClientRefusedText,
  isClientRefused,
  proofRefusedText,
  redirectRefusedText,
  scopesRefusedText,
} from './refusalText.ts';
import { serverErrorText } from './serverErrorText.ts';
import { shortUrl } from './untrustedText.ts';

/** The words for what goes wrong on the wire. Of URLs only host and path are shown. */
export function oauthErrorText(error: AnyOAuthError): ErrorText {
  switch (error.code) {
    case 'invalid_server_url':
    case 'insecure_url':
    case 'address_refused':
    case 'server_unreachable':
    case 'ca_file_unreadable':
    case 'response_too_large':
    case 'redirect_refused':
    case 'authorization_not_required':
    case 'not_an_mcp_server':
    case 'resource_metadata_invalid':
    case 'resource_mismatch':
    case 'authorization_server_not_found':
    case 'issuer_not_named':
    case 'issuer_mismatch':
      return serverErrorText(error);
    case 'pkce_unsupported':
      return {
        summary: t('no protected sign-in'),
        message: t(
          'The authorization server {0} does not say that it protects sign-ins against interception (PKCE).',
          shortUrl(error.details.issuer),
        ),
        nextStep: t('If you know that it does so without saying it, you can allow it for this connection.'),
        action: 'allow_unadvertised_pkce',
      };
    case 'registration_unsupported':
      return {
        summary: t('client ID needed'),
        message: t(
          'The authorization server {0} does not let apps register by themselves.',
          shortUrl(error.details.issuer),
        ),
        nextStep: t('Register an app there by hand and enter its client ID.'),
        action: 'enter_client',
      };
    case 'client_issuer_mismatch':
      return issuerMismatchText(error.details);
    case 'grant_unsupported':
      return {
        summary: t('other way needed'),
        message: t(
          'The authorization server {0} does not let people sign in this way.',
          shortUrl(error.details.issuer),
        ),
        nextStep: t('Choose another way to sign in.'),
        action: 'choose_kind',
      };
    case 'signing_key_invalid':
      return {
        summary: t('no usable key'),
        message: signingKeyProblem(error.details.problem),
        nextStep: t('Choose the file with the private key again.'),
        action: 'choose_kind',
      };
    case 'registration_refused':
      if (error.details.error === 'invalid_redirect_uri') return redirectRefusedText(error.details.issuer);
      return {
        summary: t('registration refused'),
        message: said(
          t('The authorization server {0} refused to register Scopekeeper.', shortUrl(error.details.issuer)),
          error.details.description ?? error.details.error,
        ),
        nextStep: t('Register an app there by hand and enter its client ID, or ask the people who run the server.'),
        action: 'enter_client',
      };
    case 'client_rejected':
      if (error.details.isEntered === true) return enteredClientRefusedText(error.details);
      return {
        summary: t('app no longer known'),
        message: said(
          t('The authorization server {0} does not accept this app any more.', shortUrl(error.details.issuer)),
          error.details.description,
        ),
        nextStep: t('Sign in again; Scopekeeper then registers anew.'),
        action: 'sign_in',
      };
    case 'authorization_denied':
      return {
        summary: t('access denied'),
        message: said(
          t('Access was denied in the browser, by you or by {0}.', shortUrl(error.details.issuer)),
          error.details.description,
        ),
        nextStep: t('Sign in again when you want to allow it.'),
        action: 'try_again',
      };
    case 'authorization_failed':
      if (error.details.error === 'invalid_scope') return scopesRefusedText(error.details);
      if (isClientRefused(error.details.error)) return appRefusedText(error.details);
      return {
        summary: t('sign-in failed'),
        message: said(
          t('The authorization server {0} ended the sign-in with an error.', shortUrl(error.details.issuer)),
          error.details.description ?? error.details.error,
        ),
        nextStep: t('Try again; if it stays so, tell the people who run the server.'),
        action: 'try_again',
      };
    case 'callback_issuer_mismatch':
      return {
        summary: t('answer from the wrong server'),
        message: t(
          'The answer in the browser did not come from {0}, where you were signing in. It was thrown away.',
          shortUrl(error.details.issuer),
        ),
        nextStep: t('Close that tab and sign in again.'),
        action: 'try_again',
      };
    case 'callback_repeated':
      return {
        summary: t('done already'),
        message: t('This answer was taken already; it is good for one time.'),
        nextStep: t('The MCP Connections view in the editor says how the sign-in went.'),
      };
    case 'callback_state_unknown':
      return {
        summary: t('unknown callback'),
        message: t(
          'This answer belongs to no sign-in that Scopekeeper is waiting for: it is an old one, or not yours.',
        ),
        nextStep: t('Go back to the editor and go on with the sign-in that is open there, or start a new one.'),
      };
    case 'resource_rejected':
      return {
        summary: t('resource not accepted'),
        message: said(
          t(
            'The authorization server {0} does not accept the address of the server, for which the token is to be good.',
            shortUrl(error.details.issuer),
          ),
          error.details.description,
        ),
        nextStep: t('Some servers need it to be left out; you can do that for this connection.'),
        action: 'omit_resource',
      };
    case 'identity_ended':
      return {
        summary: t('company sign-in has ended'),
        message: t('Your sign-in at {0} has ended.', shortUrl(error.details.issuer)),
        nextStep: t('Sign in again.'),
        action: 'sign_in',
      };
    case 'device_code_expired':
      return {
        summary: t('code not entered in time'),
        message: t('The code was not entered at {0} in time.', shortUrl(error.details.issuer)),
        nextStep: t('Try again; you get a new code.'),
        action: 'try_again',
      };
    case 'access_token_refused':
      return {
        summary: t('token refused'),
        message: t('{0} refused the token (status {1}).', shortUrl(error.details.url), error.details.status),
        nextStep: t('Enter one that is good.'),
        action: 'enter_token',
      };
    case 'grant_rejected':
      return grantRejectedText(error.details);
    case 'token_request_failed':
      if (error.details.error === 'invalid_scope') return scopesRefusedText(error.details);
      if (DPOP_ERRORS.has(error.details.error ?? '')) return proofRefusedText(error.details);
      return {
        summary: error.details.status >= 500 ? t('authorization server failing') : t('token refused'),
        message: said(
          error.details.status >= 500
            ? t(
                'The authorization server {0} is failing (status {1}).',
                shortUrl(error.details.issuer),
                error.details.status,
              )
            : t(
                'The authorization server {0} gave no token (status {1}).',
                shortUrl(error.details.issuer),
                error.details.status,
              ),
          error.details.description ?? error.details.error,
        ),
        nextStep: t('Try again in a while. Nothing that you had is lost.'),
        action: 'try_again',
      };
    case 'token_response_invalid':
      return {
        summary: t('token not understood'),
        message: t(
          'The authorization server {0} answered, but its answer holds no token that can be used. This is a fault of that server.',
          shortUrl(error.details.issuer),
        ),
        nextStep: t('Try again; if it stays so, tell the people who run it.'),
        action: 'try_again',
      };
    case 'revocation_failed':
      return {
        summary: t('not revoked'),
        message: t(
          'The authorization server {0} did not confirm that the tokens are revoked.',
          shortUrl(error.details.issuer),
        ),
        nextStep: t('They are forgotten here; to be sure, revoke the access in your account there.'),
      };
  }
}

function signingKeyProblem(problem: OAuthErrorDetails['signing_key_invalid']['problem']): string {
  switch (problem) {
    case 'not_a_key':
      return t('This is no private key in the form of PEM (PKCS #8) or JWK.');
    case 'not_pkcs8':
      return t('This key is in an older form. Convert it to PKCS #8, for example with openssl pkcs8 -topk8 -nocrypt.');
    case 'algorithm':
      return t('No signing algorithm of the authorization server fits this key.');
  }
}

/** What was entered for one authorization server is wanted at another one. */
function issuerMismatchText({ configuredIssuer, issuer, of }: OAuthErrorDetails['client_issuer_mismatch']): ErrorText {
  if (of === 'assertion') {
    return {
      summary: t('token is for another server'),
      message: t(
        'The identity token of the workload is for {0}, but the server now wants a sign-in at {1}. It was not sent there.',
        shortUrl(configuredIssuer),
        shortUrl(issuer),
      ),
      nextStep: t('If the move is meant, enter the identity token again for the new authorization server.'),
      action: 'choose_kind',
    };
  }
  return {
    summary: t('client ID is for another server'),
    message: t(
      'The client ID that you entered is for {0}, but the server now wants a sign-in at {1}. It was not sent there.',
      shortUrl(configuredIssuer),
      shortUrl(issuer),
    ),
    nextStep: t('If the move is meant, enter a client ID for the new authorization server.'),
    action: 'enter_client',
  };
}

function grantRejectedText({ issuer, description, of }: OAuthErrorDetails['grant_rejected']): ErrorText {
  if (of === undefined) {
    return {
      summary: t('sign-in has ended'),
      message: said(t('The authorization server {0} no longer accepts this sign-in.', shortUrl(issuer)), description),
      nextStep: t('Sign in again.'),
      action: 'sign_in',
    };
  }
  return {
    summary: t('identity token refused'),
    message: said(
      t('The authorization server {0} does not accept the identity token of the workload.', shortUrl(issuer)),
      description,
    ),
    ...(of === 'assertion_file'
      ? { nextStep: t('The next one in its file is tried by itself.'), action: 'try_again' }
      : { nextStep: t('Enter one that is good.'), action: 'choose_kind' }),
  };
}
