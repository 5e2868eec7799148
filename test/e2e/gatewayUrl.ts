import * as v from 'valibot';
import type { Workbench } from './workbench.ts';

/** The URL that *Copy Gateway URL* puts on the clipboard, for the one connection whose token ends. */
export async function gatewayUrl(workbench: Workbench): Promise<string> {
  await workbench.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await workbench.servers.contextMenu('expires in', 'Copy Gateway URL');
  await workbench.page.getByText('Copied the URL').first().waitFor();
  return v.parse(v.string(), await workbench.page.evaluate('navigator.clipboard.readText()'));
}
