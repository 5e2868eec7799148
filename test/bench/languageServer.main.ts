// npm run bench:languageServer [-- --keystrokes N]: how long a keystroke in a file of 2 MB with 5,000 servers takes until the
// language server has said what it finds, over LSP, from the moment the editor sends it.
import { parseArgs } from 'node:util';
import { keystrokeMs, median, type TypedText } from './languageServer.ts';
import { manyServers, manyTables } from '../unit/languageServer/manyServers.ts';

const { values } = parseArgs({ options: { keystrokes: { type: 'string', default: '40' } } });
const json = manyServers();
const texts: readonly TypedText[] = [
  { title: 'JSON', uri: 'file:///home/me/.cursor/mcp.json', text: json, typed: 'typed' },
  { title: 'JSON, a string open', uri: 'file:///home/me/.cursor/mcp.json', text: json, typed: '"' },
  { title: 'JSON, a brace open', uri: 'file:///home/me/.cursor/mcp.json', text: json, typed: '": {' },
  {
    title: 'JSON, 5,000 findings',
    uri: 'file:///home/me/.cursor/mcp.json',
    text: json.replaceAll('https://', 'http://'),
    typed: 'typed',
  },
  { title: 'TOML', uri: 'file:///home/me/.codex/config.toml', text: manyTables(), typed: 'typed' },
];
console.log('| file | MB | open ms | first ms | median ms | worst ms | median CPU ms |');
console.log('| --- | --- | --- | --- | --- | --- | --- |');
for (const text of texts) {
  const { openMs, times, cpuTimes } = await keystrokeMs(text, Number(values.keystrokes));
  const figures = [openMs, times[0] ?? Number.NaN, median(times), Math.max(...times), median(cpuTimes)];
  const cells = figures.map((ms) => ms.toFixed(1));
  console.log(`| ${text.title} | ${(text.text.length / 1e6).toFixed(2)} | ${cells.join(' | ')} |`);
}
