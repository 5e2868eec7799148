import type { ConfigEnvironment, ConfigFile } from './configClient.ts';

/**
 * A client's file as it was read: what must still be there when it is written.
 * A mark of byte order (BOM) is kept aside, so that `text` begins with what the file says.
 */
export interface ConfigFileText {
  readonly path: string;
  /** Empty for a file that is not there. */
  readonly text: string;
  readonly exists: boolean;
  readonly hasBom: boolean;
}

/**
 * Why a file could not be read or written.
 * - `not_text`: it is not UTF-8, so writing it would spoil it.
 * - `changed`: another program wrote it meanwhile.
 * - otherwise the system's code, such as `EACCES`.
 */
export type ConfigFileFailure = { readonly type: 'failed'; readonly problem: string };

export type ConfigFileRead = { readonly type: 'read'; readonly file: ConfigFileText } | ConfigFileFailure;

export type ConfigFileWritten =
  /** `backup` is where the text before is; undefined when there was none to keep. */
  { readonly type: 'written'; readonly file: ConfigFileText; readonly backup?: string } | ConfigFileFailure;

/** The files of MCP clients on this machine. Nothing throws for what a file system may say. */
export interface ConfigFiles {
  /** Where this person's files lie. */
  readonly environment: Omit<ConfigEnvironment, 'workspace'>;
  /** Whether the client that the file belongs to is installed, as far as one can tell by what it left on disk. */
  isInstalled(file: ConfigFile): Promise<boolean>;
  read(path: string): Promise<ConfigFileRead>;
  /**
   * Gives the file another text, all at once: a reader, or a crash at any moment, sees the old or the new one. Keeps its
   * mode and its BOM, and writes through links. What was there is kept beside it, unless it is there already. Folders
   * are made. When it fails, the file is as it was.
   * @param kept what is kept: the text before, or the same without secrets that are to be on this disk no more
   */
  write(before: ConfigFileText, text: string, kept?: string): Promise<ConfigFileWritten>;
  /** Takes an edit back: the file gets the text from before it, or is deleted if there was none. Leaves no backup. */
  restore(written: ConfigFileText, before: ConfigFileText): Promise<ConfigFileWritten>;
  /**
   * Whether the file lies in a folder under version control, as far as one can tell by what such programs leave there.
   * Then what was in it may be in a history that others have.
   */
  isVersioned(path: string): Promise<boolean>;
}
