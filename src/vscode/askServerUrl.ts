import { parseServerUrl } from '../oauth/serverUrl.ts';
import { errorText } from './errorText.ts';
import { t } from './localize.ts';
import { askText } from './questions.ts';
import { problemWhileTyping } from './serverUrlProblem.ts';

/** The URL of a server, as the person typed it. */
export interface ServerUrlAnswer {
  readonly url: string;
  /** Whether the person wants to choose how to sign in. */
  readonly choosesKind: boolean;
}

/** Asks for the URL of a server and checks it while it is typed. Undefined when the user gives up. */
export async function askServerUrl(value = ''): Promise<ServerUrlAnswer | undefined> {
  const answer = await askText({
    title: t('Connect Server'),
    prompt: t('The URL of a remote MCP server. You then sign in in your browser.'),
    placeholder: 'https://example.com/mcp',
    value,
    problem: serverUrlProblem,
    problemWhileTyping,
    buttons: [{ icon: 'key', tooltip: t('Choose how to sign in'), act: 'accept' }],
  });
  return answer.type === 'answered' ? { url: answer.value, choosesKind: answer.button !== undefined } : undefined;
}

/** What is wrong with a URL that a person entered, in words. */
export function serverUrlProblem(text: string): string | undefined {
  try {
    parseServerUrl(text);
    return undefined;
  } catch (error) {
    const { message, nextStep } = errorText(error);
    return `${message} ${nextStep}`;
  }
}
