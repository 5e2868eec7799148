// node out/test/stand/keyring.main.mjs COMMAND [ARGS...]: runs a command inside a throw-away unlocked keyring.
import { runLoudly } from './processes.ts';
import { withKeyring } from './keyring.ts';
import { provision } from './provision.ts';

const [command, ...args] = process.argv.slice(2);
if (command === undefined) throw new Error('Say which command to run inside the keyring.');
await provision();
process.exitCode = await withKeyring(async () => runLoudly(command, args));
