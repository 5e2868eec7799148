import type { LogOutputChannel } from 'vscode';
import type { Log } from '../connections/ports.ts';

/** The {@link Log} port over the editor's log channel, whose level the user chooses. It never shows itself. */
export function channelLog(channel: LogOutputChannel): Log {
  return {
    debug: (message) => channel.debug(message),
    info: (message) => channel.info(message),
    warn: (message) => channel.warn(message),
    error: (message) => channel.error(message),
  };
}
