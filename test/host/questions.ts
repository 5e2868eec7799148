import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type * as vscode from 'vscode';
import { accept, enter, pick } from './connecting.ts';
import type { Probe } from './probe/probe.main.ts';

/** The editor tells nobody when a list has been filled. */
const LOOK_EVERY_MS = 50;

export type Questions = ReturnType<typeof nextQuestions>;

/** The boxes and lists that open from now on, one after the other. */
export function nextQuestions({ editor, recorder }: Probe) {
  let inputs = editor.inputs.length;
  let picks = editor.picks.length;
  return {
    /** Enters texts one after the other, each but the last of which is refused. */
    text: async (...values: readonly string[]): Promise<vscode.InputBox> => {
      const input = await recorder.until('an input box', () => editor.inputs[inputs]);
      inputs += 1;
      for (const [index, value] of values.entries()) {
        await enter(input, value);
        assert.equal(messageOf(input) === '', index === values.length - 1, `${value}: ${messageOf(input)}`);
      }
      return input;
    },
    /** Takes the choice with this label. */
    choice: async (label: string): Promise<vscode.QuickPick<vscode.QuickPickItem>> => {
      const picker = await recorder.until('a list', () => editor.picks[picks]);
      picks += 1;
      await pick(picker, label);
      return picker;
    },
    /** Ticks the items with these labels, and no others, once they are there. */
    ticks: async (...labels: readonly string[]): Promise<vscode.QuickPick<vscode.QuickPickItem>> => {
      const picker = await recorder.until('a list', () => editor.picks[picks]);
      picks += 1;
      while (picker.busy || picker.items.length === 0) await delay(LOOK_EVERY_MS);
      // What the workbench says of the list that it has just drawn may come later than what is ticked here.
      for (let kept = 0; kept < 4; kept = picker.selectedItems.length === labels.length ? kept + 1 : 0) {
        if (kept === 0) picker.selectedItems = picker.items.filter(({ label }) => labels.includes(label));
        await delay(LOOK_EVERY_MS);
      }
      await accept(picker);
      return picker;
    },
    /** Looks at the list that is open, and leaves it so. */
    list: async (): Promise<vscode.QuickPick<vscode.QuickPickItem>> =>
      recorder.until('a list', () => editor.picks[picks]),
  };
}

function messageOf({ validationMessage = '' }: vscode.InputBox): string {
  return typeof validationMessage === 'string' ? validationMessage : validationMessage.message;
}
