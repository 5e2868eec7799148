import path from 'node:path';

/**
 * The folder with this user's public data and port, shared by all editors on the machine.
 * Linux and others follow the XDG base directory specification, which ignores relative paths.
 * @param platform as in `process.platform`
 * @param home as `os.homedir()` gives it
 */
export function userFolder(
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): string {
  if (platform === 'win32') {
    const appData = env['APPDATA'];
    const isUsable = appData !== undefined && path.win32.isAbsolute(appData);
    return path.win32.join(isUsable ? appData : path.win32.join(home, 'AppData', 'Roaming'), 'Scopekeeper');
  }
  if (platform === 'darwin') return path.posix.join(home, 'Library', 'Application Support', 'Scopekeeper');
  const config = env['XDG_CONFIG_HOME'];
  const isUsable = config !== undefined && path.posix.isAbsolute(config);
  return path.posix.join(isUsable ? config : path.posix.join(home, '.config'), 'scopekeeper');
}
