import * as vscode from 'vscode';
import { t } from '../localize.ts';
import { openConfigFile } from '../clientAccess.ts';
import { openAtEntry } from './foundFiles.ts';
import type { ImportCandidate } from './importCandidates.ts';
import { type ImportRow, refusalText } from './importRows.ts';

interface RowItem extends vscode.QuickPickItem {
  readonly row: ImportRow;
}

/**
 * Shows what would be taken, and lets the person tick it. A row that cannot be taken says why when it is ticked, and is
 * unticked again; each row leads to its file. Undefined when the person gives up, or goes to a file.
 * @param local how many servers are left out, since clients start them
 */
export async function pickCandidates(
  rows: readonly ImportRow[],
  local: number,
): Promise<readonly ImportCandidate[] | undefined> {
  const picker = vscode.window.createQuickPick<RowItem>();
  const placeholder = placeholderText(local);
  picker.title = t('Import Servers from mcp.json');
  picker.placeholder = placeholder;
  picker.ignoreFocusOut = true;
  picker.canSelectMany = true;
  picker.matchOnDescription = true;
  picker.matchOnDetail = true;
  picker.items = rows.map(itemOf);
  picker.selectedItems = picker.items.filter(({ row }) => row.type === 'candidate' && row.isTicked);
  try {
    return await new Promise<readonly ImportCandidate[] | undefined>((resolve, reject) => {
      /** Whether the next change is ours, of which the editor tells as of the person's. */
      let isOwnChange = false;
      picker.onDidChangeSelection((items) => {
        const refusals = items.flatMap(({ row }) => refusalText(row) ?? []);
        if (!isOwnChange || refusals.length > 0) picker.placeholder = refusals[0] ?? placeholder;
        isOwnChange = refusals.length > 0;
        if (isOwnChange) picker.selectedItems = items.filter(({ row }) => refusalText(row) === undefined);
      });
      picker.onDidTriggerItemButton(({ item: { row } }) => {
        resolve(undefined);
        openRow(row).catch(reject);
      });
      picker.onDidAccept(() => {
        const taken = picker.selectedItems.flatMap(({ row }) => (row.type === 'candidate' ? row.candidate : []));
        if (taken.length > 0) resolve(taken);
        else picker.placeholder = t('Tick at least one server');
      });
      picker.onDidHide(() => resolve(undefined));
      picker.show();
    });
  } finally {
    picker.dispose();
  }
}

function placeholderText(local: number): string {
  if (local === 0) return t('Tick the servers to take');
  return local === 1
    ? t('Tick the servers to take (without 1 local program)')
    : t('Tick the servers to take (without {0} local programs)', local);
}

function itemOf(row: ImportRow): RowItem {
  if (row.type === 'separator') return { row, label: row.label, kind: vscode.QuickPickItemKind.Separator };
  const buttons = [{ iconPath: new vscode.ThemeIcon('go-to-file'), tooltip: t('Open File') }];
  if (row.type === 'broken') return { row, label: row.label, buttons, iconPath: new vscode.ThemeIcon('warning') };
  const { description, detail, label } = row;
  return { row, label, description, buttons, ...(detail !== undefined && { detail }) };
}

async function openRow(row: ImportRow): Promise<void> {
  if (row.type === 'broken') {
    await openConfigFile(row.file.file.path, row.offset);
  } else if (row.type === 'candidate') {
    const [place] = row.candidate.places;
    if (place !== undefined) await openAtEntry(place);
  }
}
