import * as vscode from 'vscode';
import type { Connection } from '../connections/connection.ts';
import type { GatewayService, ToolSummary } from '../gateway/gatewayService.ts';
import type { AllowedTools } from '../gateway/localAccess.ts';
import { errorText } from './errorText.ts';
import { t } from './localize.ts';
import { type Answer, askChoice, backButtons, place, type QuestionPlace } from './questions.ts';
import { toolRows } from './toolRows.ts';
import { withoutLinks } from './untrustedText.ts';

export interface ToolQuestion extends QuestionPlace {
  readonly title: string;
  readonly connection: Connection;
  /** What was allowed so far: only to begin with. */
  readonly before?: AllowedTools | undefined;
  /** Takes the question back. */
  readonly signal?: AbortSignal | undefined;
}

type ToolLister = Pick<GatewayService, 'tools'>;

interface ToolItem extends vscode.QuickPickItem {
  readonly name: string;
}

/** Asks whether it is to be all tools, or which. */
export async function askAllowedTools(gateway: ToolLister, question: ToolQuestion): Promise<Answer<AllowedTools>> {
  const { title, connection, before, signal } = question;
  for (;;) {
    const how = await askChoice({
      ...question,
      title,
      placeholder: t('Which tools of {0}?', withoutLinks(connection.name)),
      choices: [
        { value: 'all', label: t('All Tools'), icon: 'check-all', detail: t('Also those to come.') },
        { value: 'some', label: t('Choose Tools…'), icon: 'checklist', detail: t('Only those that you tick.') },
      ],
      preselected: before === undefined || before === '*' ? 'all' : 'some',
    });
    if (how.type !== 'answered') return how;
    if (how.value === 'all') return { type: 'answered', value: '*' };
    const tools = await askTools(gateway, { title, connection, before, signal, canGoBack: true });
    if (tools.type !== 'back') return tools;
  }
}

/**
 * Lets the person tick tools of a connection; at least one. When the server cannot be asked for them, it says why, and
 * offers those that were allowed before.
 */
export async function askTools(gateway: ToolLister, question: ToolQuestion): Promise<Answer<readonly string[]>> {
  const { connection, before, signal } = question;
  if (signal?.aborted === true) return { type: 'cancelled' };
  const name = withoutLinks(connection.name);
  const picker = vscode.window.createQuickPick<ToolItem>();
  place(picker, question);
  picker.canSelectMany = true;
  picker.matchOnDescription = true;
  picker.matchOnDetail = true;
  const again = { iconPath: new vscode.ThemeIcon('refresh'), tooltip: t('Ask Again') };
  picker.buttons = [...backButtons(question), again];
  const show = (tools: readonly ToolSummary[]) => {
    const rows = toolRows(tools, before).map(({ isTicked, ...item }) => ({ item, isTicked }));
    picker.items = rows.map(({ item }) => item);
    picker.selectedItems = rows.filter(({ isTicked }) => isTicked).map(({ item }) => item);
  };
  let isOver = false;
  const list = async () => {
    picker.busy = true;
    picker.placeholder = t('Asking {0} for its tools…', name);
    try {
      const tools = await gateway.tools(connection.id);
      if (isOver) return;
      show(tools);
      picker.placeholder = tools.length === 0 ? t('{0} has no tools', name) : t('Tick the tools that may be used');
    } catch (error) {
      if (isOver) return;
      show([]);
      picker.placeholder = t('{0} does not tell its tools now: {1}', name, errorText(error).summary);
    } finally {
      picker.busy = false;
    }
  };
  const onAbort = () => picker.hide();
  signal?.addEventListener('abort', onAbort);
  try {
    return await new Promise<Answer<readonly string[]>>((resolve) => {
      picker.onDidTriggerButton((button) => {
        if (button === again) void list(); // it tells its failures itself
        else resolve({ type: 'back' });
      });
      picker.onDidAccept(() => {
        const names = picker.selectedItems.map((item) => item.name);
        if (names.length > 0) resolve({ type: 'answered', value: names });
        else if (!picker.busy && picker.items.length > 0) picker.placeholder = t('Tick at least one tool');
      });
      picker.onDidHide(() => resolve({ type: 'cancelled' }));
      picker.show();
      void list(); // as above
    });
  } finally {
    isOver = true;
    signal?.removeEventListener('abort', onAbort);
    picker.dispose();
  }
}
