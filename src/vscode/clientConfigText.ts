import type { ConfigClient, ConfigFile, TokenPlace } from '../mcpConfig/configClient.ts';
import type { ConfigProblem } from '../mcpConfig/configServers.ts';
import { t } from './localize.ts';
import { withoutLinks } from './untrustedText.ts';

/** A path as people write it: from the home folder on. Fit for a notification. */
export function homePath(path: string, home: string): string {
  const rest = path.slice(home.length);
  return withoutLinks(path.startsWith(home) && /^[\\/]/.test(rest) ? `~${rest}` : path);
}

/** What a file of a client is called in a list. */
export function targetText({ scope }: ConfigFile, { name }: ConfigClient): string {
  return scope === 'user' ? name : t('{0}, in this workspace', name);
}

/** For whom a file counts. */
export function scopeText({ scope }: ConfigFile): string {
  return scope === 'user' ? t('for you, in all folders') : t('for all who open this workspace');
}

/** Where a token goes, before the person decides on one. */
export function tokenPlaceText(place: TokenPlace, client: ConfigClient, path: string): string {
  switch (place.type) {
    case 'input':
      return t('{0} asks you for it once and keeps it. It is not in the file.', client.name);
    case 'variable':
      return t('{0} reads it from an environment variable, which you set. It is not in the file.', client.name);
    case 'file':
      return t('It is written into {0} in the clear, since {1} takes it from nowhere else.', path, client.name);
  }
}

/** What the person does with the token, after it was made. */
export function tokenStepText(place: TokenPlace, client: ConfigClient, variable: string): string {
  switch (place.type) {
    case 'input':
      return t('Copy the token, and paste it when {0} asks for it.', client.name);
    case 'variable':
      return t(
        'Copy the token, and set the environment variable {0} to it where {1} is started.',
        variable,
        client.name,
      );
    case 'file':
      return t('Start {0} anew if it does not see it.', client.name);
  }
}

/** What the person does next, when the client signs in. */
export function signInStepText(client: ConfigClient, name: string): string {
  if (client.id === 'codex') return t('Run “codex mcp login {0}”, and allow it here.', name);
  if (client.id === 'jetbrains') {
    return t(
      'When it signs in, you are asked here whether to let it in. AI Assistant takes the same lines under Settings | Tools | AI Assistant | Model Context Protocol (MCP).',
    );
  }
  return t(
    'When {0} signs in, you are asked here whether to let it in. Start it anew if it does not see the server.',
    client.name,
  );
}

/** Why a file was left alone, and what to do. */
export function configProblemText({ type }: ConfigProblem, client: ConfigClient, path: string, line: number): string {
  switch (type) {
    case 'syntax':
      return t('{0} has an error in line {1}, so nothing was written. Mend it and try again.', path, line);
    case 'comment':
    case 'trailing_comma':
      return t(
        '{0} has a comment or a comma too many in line {1}, which {2} does not read, so nothing was written. Mend it and try again.',
        path,
        line,
        client.name,
      );
    case 'duplicate':
      return t(
        '{0} has the same name twice, again in line {1}, so nothing was written. Mend it and try again.',
        path,
        line,
      );
    case 'not_an_object':
      return t(
        '{0} has something else in line {1} where servers should be, so nothing was written. Mend it and try again.',
        path,
        line,
      );
    case 'unusual':
      return t(
        '{0} is written in a way that Scopekeeper does not edit. Copy the configuration and add it by hand.',
        path,
      );
  }
}

/** Why a file could not be read or written. */
export function fileFailureText(problem: string, path: string): string {
  switch (problem) {
    case 'changed':
      return t('Another program has written {0} meanwhile, so it was left alone. Try again.', path);
    case 'not_text':
      return t('{0} is no text in UTF-8, so it was left alone. Save it as UTF-8 and try again.', path);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return t('You may not write {0} or its folder ({1}). Nothing was changed.', path, problem);
    case 'ENOSPC':
      return t('The disk is full. {0} is as it was.', path);
    default:
      return t('{0} could not be read or written ({1}). It is as it was.', path, problem);
  }
}
