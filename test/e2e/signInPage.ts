import path from 'node:path';
import type { Page } from 'playwright-core';
import type { SampleServer } from '../sample/sampleServer.ts';
import { SCREENSHOTS_FOLDER } from '../stand/standPaths.ts';
import type { Workbench } from './workbench.ts';

/** The browser tab of a sign-in at the sample's authorization server. */
export class SignInPage {
  readonly page: Page;
  readonly #sample: SampleServer;

  private constructor(page: Page, sample: SampleServer) {
    this.page = page;
    this.#sample = sample;
  }

  /** Does `action` and gives the sign-in page that it opens. */
  static async openedBy(workbench: Workbench, sample: SampleServer, action: () => Promise<void>): Promise<SignInPage> {
    const page = await workbench.openedPage(action);
    await page.locator('main').waitFor();
    return new SignInPage(page, sample);
  }

  /** Signs in, unless this browser is signed in already, and decides. Gives the text of the page it ends on. */
  async decide(decision: 'allow' | 'deny'): Promise<string> {
    await this.signInAndClick(decision);
    await this.page.waitForURL(/\/callback\?/);
    return this.page.locator('main').innerText();
  }

  /** As {@link decide}, without waiting for the page that it ends on. */
  async signInAndClick(decision: 'allow' | 'deny'): Promise<void> {
    const login = this.page.locator('input[name=login]');
    const button = this.page.locator(`button[name=decision][value=${decision}]`);
    await login.or(button).first().waitFor();
    if (await login.isVisible()) {
      await login.fill(this.#sample.user);
      await this.page.locator('input[name=password]').fill(this.#sample.password);
      await this.page.locator('button[type=submit]').first().click();
    }
    await button.click();
  }

  /** Saves a picture as out/screenshots/NAME.png. */
  async screenshot(name: string): Promise<void> {
    await this.page.screenshot({ path: path.join(SCREENSHOTS_FOLDER, `${name}.png`) });
  }
}

/** Connects the sample server as a person does, from the command to the closed tab. */
export async function connectSample(workbench: Workbench, sample: SampleServer): Promise<void> {
  const { quickInput, servers } = workbench;
  await servers.show();
  await workbench.runCommand('Scopekeeper: Connect Server…');
  await quickInput.waitFor('URL');
  const signIn = await SignInPage.openedBy(workbench, sample, async () => quickInput.answer(sample.mcpUrl));
  await signIn.decide('allow');
  await signIn.page.close();
}
