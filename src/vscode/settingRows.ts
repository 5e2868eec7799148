import type { Connection, ConnectionSettings } from '../connections/connection.ts';
import { t } from './localize.ts';
import { returnHere, returnText } from './remote/signInReturn.ts';
import { shortUrl } from './untrustedText.ts';

/** What can be set for one connection whose servers deviate from the rules. */
export const SETTING_NAMES = [
  'issuer',
  'fixedScopes',
  'omitResource',
  'redirect',
  'dpop',
  'allowUnadvertisedPkce',
] as const;
export type SettingName = (typeof SETTING_NAMES)[number];

/** One value that a setting can have; `value` undefined is the way of the rules. */
export interface SettingChoice<N extends SettingName = SettingName> {
  readonly value: ConnectionSettings[N];
  readonly label: string;
  readonly detail?: string;
}

/** Whether `text` names a setting. */
export function isSettingName(text: unknown): text is SettingName {
  return SETTING_NAMES.some((name) => name === text);
}

/** What a setting is about, in a few words. */
export function settingLabel(name: SettingName): string {
  switch (name) {
    case 'issuer':
      return t('Authorization server');
    case 'fixedScopes':
      return t('Scopes');
    case 'omitResource':
      return t('Address of the server in requests');
    case 'redirect':
      return t('Where the browser comes back to');
    case 'dpop':
      return t('Tokens bound to a key (DPoP)');
    case 'allowUnadvertisedPkce':
      return t('Protection of the sign-in (PKCE)');
  }
}

/** How a setting is set now, in a few words. */
export function settingValue(connection: Connection, name: SettingName): string {
  const { settings } = connection;
  if (name === 'fixedScopes') {
    if (settings.fixedScopes === undefined) return t('as the server asks');
    return settings.fixedScopes.length === 0 ? t('none') : settings.fixedScopes.join(' ');
  }
  const choices: readonly SettingChoice[] = settingChoices(connection, name);
  return choices.find(({ value }) => value === settings[name])?.label ?? shortUrl(settings.issuer ?? '');
}

/** The settings that mean something for this connection. */
export function settingsOf({ issuers, kind, settings }: Connection): readonly SettingName[] {
  const isInBrowser = kind === 'authorization_code' || kind === 'enterprise_managed';
  return SETTING_NAMES.filter((name) => {
    if (kind === 'static_token') return false;
    if (name === 'issuer') return (issuers ?? []).length > 1 || settings.issuer !== undefined;
    return isInBrowser || (name !== 'redirect' && name !== 'allowUnadvertisedPkce');
  });
}

/** What a setting can be, the way of the rules first. Scopes are typed and not chosen. */
export function settingChoices(
  { issuers = [] }: Connection,
  name: Exclude<SettingName, 'fixedScopes'>,
): readonly SettingChoice[] {
  switch (name) {
    case 'issuer':
      return [
        { value: undefined, label: t('the first that works') },
        ...issuers.map((issuer) => ({ value: issuer, label: shortUrl(issuer) })),
      ];
    case 'omitResource':
      return [
        {
          value: undefined,
          label: t('sent'),
          detail: t('The token is good for this server alone.'),
        },
        {
          value: true,
          label: t('left out'),
          detail: t('If it is not accepted. The token may then be good for other servers too.'),
        },
      ];
    case 'redirect':
      return [
        { value: undefined, label: returnText(returnHere()) },
        {
          value: 'uri_handler',
          label: t('the editor'),
          detail: t('If a port is not accepted. A client of your own must be registered with it.'),
        },
      ];
    case 'dpop':
      return [
        { value: undefined, label: t('where both servers wish it') },
        { value: 'always', label: t('always'), detail: t('Where the authorization server can do it at all.') },
        { value: 'never', label: t('never') },
      ];
    case 'allowUnadvertisedPkce':
      return [
        { value: undefined, label: t('must be advertised') },
        {
          value: true,
          label: t('need not be advertised'),
          detail: t('Only if the people who run the server say that it is there.'),
        },
      ];
  }
}
