// Speaks so much of the `code` command line that @vscode/test-electron can drive code-server with it.
import { parseEditorCommand } from './editorCommand.ts';
import { runInCodeServer } from './runInCodeServer.ts';

process.exitCode = await runInCodeServer(parseEditorCommand(process.argv.slice(2)));
