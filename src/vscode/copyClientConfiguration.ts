import * as vscode from 'vscode';
import type { Connection } from '../connections/connection.ts';
import { configClients } from '../mcpConfig/clients.ts';
import type { ConfigClient, ServerAccess } from '../mcpConfig/configClient.ts';
import { commandLine, newServer, snippet, variableOf } from '../mcpConfig/snippet.ts';
import {
  askClientTokenDays,
  type ClientConfigParts,
  configEnvironment,
  makeClientToken,
  openConfigFile,
  tokenAccess,
  tokenPrompt,
} from './clientAccess.ts';
import { homePath, signInStepText, tokenPlaceText, tokenStepText } from './clientConfigText.ts';
import { t } from './localize.ts';
import { askChoice } from './questions.ts';
import { withoutLinks } from './untrustedText.ts';

type Form = 'command' | 'lines' | 'token';

/** Copies what a client is told of a connection, as a command or as lines for its file, and says where it goes. */
export async function copyClientConfiguration(parts: ClientConfigParts, connection: Connection): Promise<void> {
  const { gateway, configFiles } = parts;
  const environment = configEnvironment(configFiles);
  const title = t('Copy Client Configuration of {0}', withoutLinks(connection.name));
  const pathOf = (client: ConfigClient) => client.files(environment)[0]?.path ?? '';
  const shown = (client: ConfigClient) => homePath(pathOf(client), environment.home);
  const picked = await askChoice({
    title,
    placeholder: t('For which client?'),
    choices: configClients.map((client) => ({ value: client, label: client.name, description: shown(client) })),
  });
  if (picked.type !== 'answered') return;
  const client = picked.value;
  const url = await gateway.gatewayUrl(connection.id);
  const form = await askForm(client, title, shown(client), client.command?.(connection.slug, url));
  if (form === undefined) return;

  if (form === 'command') {
    await vscode.env.clipboard.writeText(commandLine(client.command?.(connection.slug, url) ?? []));
    const next = signInStepText(client, connection.slug);
    void vscode.window.showInformationMessage(
      t('Copied the command. Run it in a terminal: it adds the server to {0}. {1}', shown(client), next),
    );
    return;
  }
  let access: ServerAccess = { type: 'sign-in' };
  let token: string | undefined;
  if (form === 'token' && client.tokenPlace !== undefined) {
    const days = await askClientTokenDays(connection, client);
    if (days === 'given_up') return;
    ({ token } = await makeClientToken(gateway, connection, client, days));
    access = tokenAccess(client.tokenPlace, connection.slug, token);
  }
  const server = newServer(client, connection.slug, { url, access }, tokenPrompt(connection));
  await vscode.env.clipboard.writeText(snippet(client, server));
  // Not awaited: the command is over, its message may stay open for ever.
  void tellCopied(client, connection, { path: pathOf(client), shown: shown(client), token });
}

/** Asks in which form to copy. Undefined when the person gives up. */
async function askForm(
  client: ConfigClient,
  title: string,
  path: string,
  command: readonly string[] | undefined,
): Promise<Form | undefined> {
  const lines = { value: 'lines' as const, label: t('Lines for its file'), description: path };
  const choices = [
    ...(command === undefined
      ? []
      : [{ value: 'command' as const, label: t('Command for a terminal'), description: commandLine(command) }]),
    lines,
    ...(client.tokenPlace === undefined
      ? []
      : [
          {
            value: 'token' as const,
            label: t('Lines with a token'),
            description: t('where {0} cannot sign in by itself', client.name),
            detail: tokenPlaceText(client.tokenPlace, client, path),
          },
        ]),
  ];
  if (choices.length === 1) return 'lines';
  const answer = await askChoice<Form>({ title, placeholder: t('In which form?'), choices });
  return answer.type === 'answered' ? answer.value : undefined;
}

interface Copied {
  readonly path: string;
  readonly shown: string;
  /** A secret. */
  readonly token: string | undefined;
}

async function tellCopied(client: ConfigClient, connection: Connection, { path, shown, token }: Copied): Promise<void> {
  const { tokenPlace } = client;
  const next =
    token === undefined || tokenPlace === undefined
      ? signInStepText(client, connection.slug)
      : tokenStepText(tokenPlace, client, variableOf(connection.slug));
  const open = t('Open File');
  const copyToken = t('Copy Token');
  const buttons = token === undefined || tokenPlace?.type === 'file' ? [open] : [open, copyToken];
  for (;;) {
    const text = t('Copied. Put it into {0}, beside the servers that are there. {1}', shown, next);
    const chosen = await vscode.window.showInformationMessage(text, ...buttons);
    if (chosen === open) await openConfigFile(path);
    if (chosen !== copyToken || token === undefined) return;
    await vscode.env.clipboard.writeText(token);
    buttons.splice(1);
  }
}
