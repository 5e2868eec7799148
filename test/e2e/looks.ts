import path from 'node:path';
import { SCREENSHOTS_FOLDER } from '../stand/standPaths.ts';
import type { Workbench } from './workbench.ts';

/** How a workbench can look; by `theme` it says that it does, and by `page` the page of a webview. */
const LOOKS = [
  { look: 'dark', theme: 'vs-dark', page: 'vscode-dark', media: { colorScheme: 'dark', forcedColors: 'none' } },
  { look: 'light', theme: 'vs', page: 'vscode-light', media: { colorScheme: 'light', forcedColors: 'none' } },
  {
    look: 'hc-dark',
    theme: 'hc-black',
    page: 'vscode-high-contrast',
    media: { colorScheme: 'dark', forcedColors: 'active' },
  },
  {
    look: 'hc-light',
    theme: 'hc-light',
    page: 'vscode-high-contrast-light',
    media: { colorScheme: 'light', forcedColors: 'active' },
  },
] as const;

/** Set by `npm run pictures`: every picture in every look, where `npm test` makes those that no other test makes. */
const ALL_LOOKS_VARIABLE = 'SCOPEKEEPER_ALL_LOOKS';

const ONLY = new Set<string>(
  process.env[ALL_LOOKS_VARIABLE] === undefined ? ['light', 'hc-dark'] : LOOKS.map(({ look }) => look),
);

/**
 * Saves pictures of what is shown now as out/screenshots/look-NAME-LOOK.png. What is open stays open, but for a hover.
 * @param hover brings the hover that is to be in the picture; without it the pointer rests where there is none
 */
export async function pictureInAllLooks(
  workbench: Workbench,
  name: string,
  hover = async (): Promise<void> => workbench.page.mouse.move(700, 600),
): Promise<void> {
  for (const { look, theme, page, media } of LOOKS) {
    if (!ONLY.has(look)) continue;
    await workbench.page.emulateMedia(media);
    await workbench.page.locator(`.monaco-workbench.${theme}`).waitFor();
    if ((await workbench.page.locator('iframe.webview.ready').count()) > 0) {
      await workbench.webview.locator(`body[data-vscode-theme-kind="${page}"]`).waitFor();
    }
    await hover();
    await workbench.waitUntilStill();
    await workbench.page.screenshot({ path: path.join(SCREENSHOTS_FOLDER, `look-${name}-${look}.png`) });
  }
  // A page that is made in forced colours keeps their background when they go, which only ever happens here.
  await workbench.page.emulateMedia(LOOKS[0].media);
  await workbench.page.locator(`.monaco-workbench.${LOOKS[0].theme}`).waitFor();
}
