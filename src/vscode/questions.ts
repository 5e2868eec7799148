import * as vscode from 'vscode';

/** What became of a question. */
export type Answer<T> =
  | { readonly type: 'answered'; readonly value: T; readonly button?: QuestionButton }
  | { readonly type: 'back' }
  | { readonly type: 'cancelled' };

/** Where a question stands in a row of questions, if it stands in one. */
export interface QuestionPlace {
  readonly step?: number;
  readonly totalSteps?: number;
  /** Whether there is something before it. */
  readonly canGoBack?: boolean;
}

export interface QuestionButton {
  /** The id of a theme icon. */
  readonly icon: string;
  readonly tooltip: string;
  /**
   * `accept` answers the question, and the answer says by which button. A function does something else, and
   * may give a text for the field; the question stays.
   */
  readonly act: 'accept' | (() => Promise<string | undefined>);
}

export interface TextQuestion extends QuestionPlace {
  readonly title: string;
  /** Plain text: Markdown of a server's in it would become links, so such parts go through `withoutLinks`. */
  readonly prompt: string;
  readonly value?: string | undefined;
  readonly placeholder?: string;
  /** Shows dots for what is typed. */
  readonly isSecret?: boolean;
  /** What is wrong with a text that the person wants to enter, in words. */
  readonly problem?: (text: string) => string | undefined;
  /** The same for one that is still being typed. */
  readonly problemWhileTyping?: (text: string) => string | undefined;
  readonly buttons?: readonly QuestionButton[];
}

/** Asks for a text, without the blanks around it; the box stays when the person looks elsewhere meanwhile. */
export async function askText(question: TextQuestion): Promise<Answer<string>> {
  const { buttons = [], problem, problemWhileTyping } = question;
  const input = vscode.window.createInputBox();
  place(input, question);
  input.prompt = question.prompt;
  input.placeholder = question.placeholder;
  input.value = question.value ?? '';
  input.password = question.isSecret === true;
  const shown = buttons.map((button) => ({
    button,
    iconPath: new vscode.ThemeIcon(button.icon),
    tooltip: button.tooltip,
  }));
  input.buttons = [...backButtons(question), ...shown];
  /** While a button opens a dialog, which hides this box. */
  let isBusy = false;
  try {
    return await new Promise<Answer<string>>((resolve, reject) => {
      const accept = (button?: QuestionButton) => {
        const value = input.value.trim();
        input.validationMessage = problem?.(value) ?? '';
        if (input.validationMessage === '')
          resolve({ type: 'answered', value, ...(button !== undefined && { button }) });
      };
      const run = async (act: () => Promise<string | undefined>) => {
        isBusy = true;
        try {
          input.value = (await act()) ?? input.value;
          input.validationMessage = '';
        } finally {
          isBusy = false;
        }
        input.show();
      };
      input.onDidChangeValue((text) => {
        input.validationMessage = problemWhileTyping?.(text) ?? '';
      });
      input.onDidTriggerButton((pressed) => {
        const button = shown.find((one) => one === pressed)?.button;
        if (button === undefined) resolve({ type: 'back' });
        else if (button.act === 'accept') accept(button);
        else void run(button.act).catch(reject);
      });
      input.onDidAccept(() => accept());
      input.onDidHide(() => {
        if (!isBusy) resolve({ type: 'cancelled' });
      });
      input.show();
    });
  } finally {
    input.dispose();
  }
}

export interface Choice<T> {
  readonly value: T;
  readonly label: string;
  readonly description?: string;
  readonly detail?: string;
  /** The id of a theme icon. */
  readonly icon?: string;
}

/** A row that says something and answers nothing. */
export type Fact = Omit<Choice<never>, 'value'>;

export interface ChoiceQuestion<T> extends QuestionPlace {
  readonly title: string;
  readonly placeholder: string;
  readonly choices: readonly Choice<T>[];
  /** The value of the choice that Enter takes; the first one by default. */
  readonly preselected?: T | undefined;
  /**
   * What the person has to know before they choose, in rows above the choices. The first of them is the active one, so
   * Enter alone answers nothing, nor does a text that was meant for something else.
   */
  readonly facts?: readonly Fact[];
  /** Takes the question back. */
  readonly signal?: AbortSignal | undefined;
}

/** Enter within this time after a key was typed was meant for something else. */
const TYPED_MS = 400;

interface ChoiceItem<T> extends vscode.QuickPickItem {
  readonly choice?: Choice<T>;
}

/** Asks for one of several; the list stays when the person looks elsewhere meanwhile. */
export async function askChoice<T>(question: ChoiceQuestion<T>): Promise<Answer<T>> {
  const { facts = [], signal } = question;
  if (signal?.aborted === true) return { type: 'cancelled' };
  const picker = vscode.window.createQuickPick<ChoiceItem<T>>();
  place(picker, question);
  picker.placeholder = question.placeholder;
  picker.matchOnDescription = true;
  picker.matchOnDetail = true;
  const choices = question.choices.map((choice) => ({ ...itemOf(choice), choice }));
  const separator: ChoiceItem<T> = { label: '', kind: vscode.QuickPickItemKind.Separator };
  const told: readonly ChoiceItem<T>[] = facts.map(itemOf);
  picker.items = told.length === 0 ? choices : [...told, separator, ...choices];
  picker.activeItems =
    told.length === 0 ? choices.filter(({ choice }) => choice.value === question.preselected) : told.slice(0, 1);
  picker.buttons = backButtons(question);
  const onAbort = () => picker.hide();
  signal?.addEventListener('abort', onAbort);
  let typedAt = -Infinity;
  try {
    return await new Promise<Answer<T>>((resolve) => {
      picker.onDidTriggerButton(() => resolve({ type: 'back' }));
      picker.onDidChangeValue(() => {
        if (facts.length === 0) return;
        typedAt = Date.now();
        picker.value = '';
      });
      picker.onDidAccept(() => {
        const choice = picker.activeItems[0]?.choice;
        if (choice !== undefined && Date.now() - typedAt > TYPED_MS) resolve({ type: 'answered', value: choice.value });
      });
      picker.onDidHide(() => resolve({ type: 'cancelled' }));
      picker.show();
    });
  } finally {
    signal?.removeEventListener('abort', onAbort);
    picker.dispose();
  }
}

function itemOf({ label, description, detail, icon }: Fact): vscode.QuickPickItem {
  return {
    label,
    ...(description !== undefined && { description }),
    ...(detail !== undefined && { detail }),
    ...(icon !== undefined && { iconPath: new vscode.ThemeIcon(icon) }),
  };
}

/** One question of several: asks it, keeps the answer, and says where to go from there. */
export type Step = (place: QuestionPlace) => Promise<StepOutcome>;
export type StepOutcome = 'next' | 'back' | 'cancelled';

/** A step that gives the answer of its question to `keep`. */
export function step<T>(ask: (place: QuestionPlace) => Promise<Answer<T>>, keep: (value: T) => void): Step {
  return async (place) => {
    const answer = await ask(place);
    if (answer.type !== 'answered') return answer.type;
    keep(answer.value);
    return 'next';
  };
}

/**
 * Asks the questions in their order, each of which may lead back to the one before.
 * @param canGoBack whether there is something before the first one
 */
export async function askInTurn(steps: readonly Step[], canGoBack: boolean): Promise<'done' | 'back' | 'cancelled'> {
  let index = 0;
  for (;;) {
    const ask = steps[index];
    if (ask === undefined) return 'done';
    const outcome = await ask({ step: index + 1, totalSteps: steps.length, canGoBack: canGoBack || index > 0 });
    if (outcome === 'cancelled') return 'cancelled';
    if (outcome === 'back' && index === 0) return 'back';
    index += outcome === 'back' ? -1 : 1;
  }
}

/** The problem of a text that must not be empty. */
export function required(problem: string): (text: string) => string | undefined {
  return (text) => (text === '' ? problem : undefined);
}

/** Gives a question its title and place; the box stays when the person looks elsewhere. */
export function place(input: vscode.QuickInput, question: QuestionPlace & { readonly title: string }): void {
  input.title = question.title;
  input.ignoreFocusOut = true;
  // A single question needs no number.
  if ((question.totalSteps ?? 1) === 1) return;
  input.step = question.step;
  input.totalSteps = question.totalSteps;
}

/** The button that leads to the question before, if there is one. */
export function backButtons({ canGoBack }: QuestionPlace): vscode.QuickInputButton[] {
  return canGoBack === true ? [vscode.QuickInputButtons.Back] : [];
}
