import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import type { EditorRecorder } from './probe/editorRecorder.ts';

/** No file of ours comes near it; the editor's caches may. */
const LARGEST_FILE_BYTES = 50 * 1024 * 1024;

/** All rows of the extension's trees, as they are drawn and spoken, with their tooltips. */
export async function treeTexts({ trees }: EditorRecorder): Promise<string[]> {
  const cancellation = new vscode.CancellationTokenSource();
  const below = async (tree: vscode.TreeDataProvider<unknown>, node?: unknown): Promise<string[]> => {
    const children = (await tree.getChildren(node)) ?? [];
    const texts = await Promise.all(
      children.map(async (child) => {
        const item = await tree.getTreeItem(child);
        const resolved = await tree.resolveTreeItem?.(item, child, cancellation.token);
        return [asText(item), asText(resolved)].concat(await below(tree, child));
      }),
    );
    return texts.flat();
  };
  try {
    return (await Promise.all([...trees.values()].map(async (tree) => below(tree)))).flat();
  } finally {
    cancellation.dispose();
  }
}

/** Everything else that the extension has drawn or said. */
export function otherTexts({ posted, shown, statusBarItems, views, contextKeys }: EditorRecorder): string[] {
  const items = statusBarItems.map(({ text, tooltip, accessibilityInformation }) =>
    asText([text, tooltip, accessibilityInformation]),
  );
  const frames = views.map(({ title, message, description, badge }) => asText([title, message, description, badge]));
  return [...shown.map(asText), ...posted.map(asText), ...items, ...frames, asText([...contextKeys])];
}

/** The names of the files below `folder` that hold one of `needles`. */
export async function filesWith(folder: string, needles: readonly string[]): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => path.join(parentPath, name));
  const found: string[] = [];
  for (const name of names) {
    // The editor may just have removed it.
    const { size } = await stat(name).catch(() => ({ size: Infinity }));
    const content = size > LARGEST_FILE_BYTES ? '' : await readFile(name).catch(() => '');
    if (needles.some((needle) => content.includes(needle))) found.push(name);
  }
  return found;
}

function asText(value: unknown): string {
  return JSON.stringify(value) ?? '';
}
