// npm run bench:gateway [-- --blocks N --rounds N --megabytes N --no-mcp-remote --host --strict]: the gateway beside a bare
// pass-through and mcp-remote, all on this machine and in turns. Only ratios mean something on another one.
// --host measures the packed extension in a real editor; --strict fails when an aim that is a ratio is missed.
import { parseArgs } from 'node:util';
import { recentNode } from '../stand/recentNode.ts';
import { runLoudly } from '../stand/processes.ts';
import { formatResult, runBench } from './runBench.ts';

const { values } = parseArgs({
  options: {
    blocks: { type: 'string', default: '150' },
    rounds: { type: 'string', default: '40' },
    megabytes: { type: 'string', default: '1024' },
    host: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
    'no-mcp-remote': { type: 'boolean', default: false },
  },
});

// The editor's extension hosts run on this one, and an older one differs from it as much as two proxies do.
const node = await recentNode();
if (node === process.execPath) {
  const result = await runBench({
    blocks: Number(values.blocks),
    rounds: Number(values.rounds),
    bytes: Number(values.megabytes) * 1024 * 1024,
    hasMcpRemote: !values['no-mcp-remote'],
    isHosted: values.host,
  });
  console.log(formatResult(result));
  const isFailed = values.strict && result.aims.some(({ isMet, isRatio }) => isRatio && !isMet);
  process.exit(isFailed ? 1 : 0);
}
process.exit(await runLoudly(node, process.argv.slice(1)));
