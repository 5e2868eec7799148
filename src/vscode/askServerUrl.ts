import * as vscode from 'vscode';
import { parseServerUrl } from '../oauth/serverUrl.ts';
import { errorText } from './errorText.ts';
import { t } from './localize.ts';
import { problemWhileTyping } from './serverUrlProblem.ts';

/** Asks for the URL of a server and checks it while it is typed. Undefined when the user gives up. */
export async function askServerUrl(value = ''): Promise<string | undefined> {
  const input = vscode.window.createInputBox();
  input.title = t('Connect Server');
  input.prompt = t('The URL of a remote MCP server. You then sign in in your browser.');
  input.placeholder = 'https://example.com/mcp';
  input.value = value;
  input.ignoreFocusOut = true;
  const show = (problem: string | undefined) => {
    input.validationMessage = problem ?? '';
  };
  try {
    return await new Promise<string | undefined>((resolve) => {
      input.onDidChangeValue((text) => show(problemWhileTyping(text)));
      input.onDidAccept(() => {
        try {
          parseServerUrl(input.value);
          resolve(input.value);
        } catch (error) {
          const { message, nextStep } = errorText(error);
          show(`${message} ${nextStep}`);
        }
      });
      input.onDidHide(() => resolve(undefined));
      input.show();
    });
  } finally {
    input.dispose();
  }
}
