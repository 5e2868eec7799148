import * as vscode from 'vscode';
import { describeError } from '../connections/errors.ts';
import type { Log } from '../connections/ports.ts';
import { ScopekeeperError } from '../oauth/errors.ts';
import type { CommandId } from './ids.ts';
import { showError } from './notifications.ts';

export type CommandHandler = (...args: readonly unknown[]) => Promise<void> | void;

/** What every command does. The type makes sure that none is left out. */
export type CommandTable = Readonly<Record<CommandId, CommandHandler>>;

/** Registers all commands. What a handler throws is logged by its code and told to the user in words. */
export function registerCommands(table: CommandTable, log: Log): vscode.Disposable {
  return vscode.Disposable.from(
    ...Object.entries(table).map(([id, handler]) =>
      vscode.commands.registerCommand(id, async (...args: unknown[]) => run(id, handler, args, log)),
    ),
  );
}

async function run(id: string, handler: CommandHandler, args: readonly unknown[], log: Log): Promise<void> {
  try {
    await handler(...args);
  } catch (error) {
    log.error(`${id} failed: ${errorName(error)}`);
    // Not awaited: the command is over, its message may stay open for ever.
    void showError(error, { tryAgain: async () => run(id, handler, args, log) });
  }
}

/** What may be logged of an error: its code and details, or for one that is not ours where it comes from. */
function errorName(error: unknown): string {
  if (error instanceof ScopekeeperError) return describeError(error);
  if (!(error instanceof Error)) return typeof error;
  return error.stack ?? error.name;
}
