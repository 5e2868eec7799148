import type { RedirectKind } from '../../connections/ports.ts';
import { isLoopbackHost } from '../../oauth/addressPolicy.ts';
import { t } from '../localize.ts';

/** Where this window's parts are: all that decides how a browser's answer gets back to the extension (P18). */
export interface WindowPlace {
  /** Whether the extension runs beside the user interface, or where the workspace is. */
  readonly host: 'ui' | 'workspace';
  /** As `vscode.env.remoteName`: `wsl`, `ssh-remote`, `dev-container`, `codespaces`, or the address of a server. */
  readonly remoteName: string | undefined;
  /** Whether the user interface is itself in a browser. */
  readonly isWeb: boolean;
}

/**
 * How sign-ins come back: to a port of the computer that the extension runs on, to the editor by a link of its own, or by
 * the person, who pastes what the browser shows.
 */
export type SignInReturn = 'loopback' | 'uri_handler' | 'paste';

/**
 * Chooses how sign-ins come back to a window (P18). A forwarded port is none of the ways: it may have another number there
 * than here, and only a redirect URI that was registered may be used.
 * @param wanted what the person set for the connection
 */
export function signInReturn({ host, isWeb, remoteName }: WindowPlace, wanted?: RedirectKind): SignInReturn {
  const isHere = remoteName === undefined || (host === 'ui' && !isWeb) || isSameMachine(remoteName);
  if (wanted === 'uri_handler') return wanted;
  // Not every editor in a web page can be opened by a link: that is for the person to set.
  if (isWeb) return isHere ? 'loopback' : 'paste';
  if (isHere) return 'loopback';
  return wanted === 'loopback' ? 'paste' : 'uri_handler';
}

/** The redirect URI that goes with it: what is pasted is that of the port, which nobody else answers to. */
export function redirectKindOf(way: SignInReturn): RedirectKind {
  return way === 'uri_handler' ? 'uri_handler' : 'loopback';
}

/** WSL shares its ports with Windows; a server of the editor at a loopback address is on the computer of its browser. */
function isSameMachine(remoteName: string): boolean {
  if (remoteName === 'wsl') return true;
  return isLoopbackHost(remoteName.replace(/:\d+$/, ''));
}

let current: WindowPlace = { host: 'ui', remoteName: undefined, isWeb: false };

/** Says where this window is. Called once, on activation, as `setLanguage` is. */
export function setWindowPlace(place: WindowPlace): void {
  current = place;
}

/** How sign-ins of a connection come back to this window. */
export function returnHere(wanted?: RedirectKind): SignInReturn {
  return signInReturn(current, wanted);
}

/** Where sign-ins come back to, in a few words. */
export function returnText(way: SignInReturn): string {
  switch (way) {
    case 'loopback':
      return t('a port of this computer');
    case 'uri_handler':
      return t('the editor');
    case 'paste':
      return t('you, who paste the address of the last page');
  }
}

/** What a person who is in the browser has to know of the way back. */
export function waitingText(way: SignInReturn): string {
  switch (way) {
    case 'loopback':
      return t('waiting for you in the browser…');
    case 'uri_handler':
      return t('waiting for you in the browser, which then opens the editor…');
    case 'paste':
      return t('sign in in the browser. It ends on a page that cannot be reached: copy its address and paste it here.');
  }
}
