// A window in a process of its own, over the user's folder in argv[2], called argv[3]. Writes a line of JSON for each
// role that it takes. What comes in, line by line, is the id of a connection to refresh; the outcome is a line too.
import path from 'node:path';
import { createInterface } from 'node:readline';
import { describeError } from '../../../src/connections/errors.ts';
import { FolderSecretStore } from '../../headless/folderSecretStore.ts';
import { openTestWindow } from '../../headless/testWindow.ts';

const [, , folder = '', name = ''] = process.argv;
const window = openTestWindow({ folder, name, keychain: new FolderSecretStore(path.join(folder, 'keychain')) });

function tell(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

window.role.onDidChange((state) =>
  tell(state.type === 'blocked' ? { type: 'blocked', error: describeError(state.error) } : state),
);
// From the beginning: it is what keeps this process alive, as an editor does its extension host.
const lines = createInterface({ input: process.stdin });
await window.role.look();
for await (const id of lines) {
  await window.connections.refresh(id).then(
    ({ state }) => tell({ type: 'refreshed', state: state.type }),
    (error: unknown) => tell({ type: 'failed', error: describeError(error) }),
  );
}
await window.dispose();
